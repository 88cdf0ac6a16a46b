/** This node in its signaling room: it enters, hears who may found, and judges what the server says of its identity. */
import type { RaftError } from '../../core/errors.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Discovery } from '../duties/discovery.ts';
import type { Join } from '../duties/join.ts';
import { hasLiveQuorum } from '../standing/quorum.ts';
import type { Standing } from '../standing/standing.ts';

/** A node that the server has refused, and that the others know all the same, enters the room again after so long, in ms. */
const REENTER_MS = 10_000;

interface RoomPresenceParts {
  readonly standing: Standing;
  readonly discovery: Discovery;
  readonly join: Join;
  readonly options: NodeOptions;
  readonly bootNonce: string;
  readonly emitter: Emitter;
}

export class RoomPresence {
  readonly #parts: RoomPresenceParts;
  readonly #end: (error: RaftError) => void;

  constructor(parts: RoomPresenceParts, end: (error: RaftError) => void) {
    this.#parts = parts;
    this.#end = end;
  }

  /** Errors: room-invalid. */
  async enter(): Promise<void> {
    const { standing, discovery, join, options, bootNonce } = this.#parts;
    if (standing.state.kind === 'ended') return;
    const { mode } = options;
    const room = options.access?.rendezvous ?? options.room;
    const mayFound = mode === 'enter' || mode === 'create';
    const entry = { room, nodeId: standing.id, bootNonce, clusterId: standing.cluster?.clusterId, mayFound };
    await discovery.enter(entry, {
      onGrant: () => join.onGrant(),
      onCluster: (clusterId) => join.onCluster(clusterId),
      onState: (state, error) => this.#onState(state, error),
    });
  }

  #onState(state: 'connecting' | 'open' | 'closed', error: RaftError | undefined): void {
    const { standing, emitter, options } = this.#parts;
    // Another node of the same id is alive, or the room belongs to another cluster: going on would harm both. Unless the others
    // bear witness: the signaling server is no judge of who is a member.
    const isFinal = error?.code === 'identity-in-use' || error?.code === 'cluster-mismatch';
    if (isFinal && !hasLiveQuorum(standing)) return this.#end(error);
    if (isFinal && state === 'closed') options.clock.after(REENTER_MS, () => void this.enter().catch(() => {}));
    emitter.emit('signaling', { state, error });
  }
}
