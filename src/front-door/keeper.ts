/** A keeper where there is neither a page nor a process: everything it needs of its surroundings is handed in. */
import { RaftError } from '../core/errors.ts';
import type { BaseNode } from '../runtime/api/api.ts';
import { resolveAutopilot, resolveTuning } from '../runtime/api/options.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { FrameRelay, Signaling } from '../signaling/signaling.ts';
import { keeper } from '../state/keeper.ts';
import type { StorageProvider } from '../storage/storage.ts';
import { relayTransport } from '../transport/relay.ts';
import { type Access, accessBy } from '../trust/access.ts';
import { parseRoomLink } from '../trust/room-link.ts';
import { openNode } from './open-node.ts';

export type KeeperNode = BaseNode<unknown>;

export interface KeeperParts {
  readonly access: Access;
  readonly storage: StorageProvider;
  /** The room's server, which relays. */
  readonly signaling: Signaling & FrameRelay;
  readonly clock: Clock;
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What lets a keeper in. With an invite it could come in, but let nobody in when it is the last: it would not know the secret.
 * Errors: room-invalid, wrong-secret, insecure-context.
 */
export async function keeperAccess(link: string): Promise<Access> {
  const parsed = parseRoomLink(link);
  if (parsed.kind === 'invite') throw new RaftError('room-invalid', "A keeper takes the room's own link, not an invite.");
  return accessBy(parsed);
}

/**
 * A member without a machine that joins, votes and stores, over the relay alone. It never founds, and leads only where fewer than three
 * vote (`NodeOptions.reluctant`). Errors: see `openNode`; what cannot be read is refused (`corrupt`), for it may be the only copy.
 */
export async function openKeeper({ access, storage, signaling, clock, name, signal }: KeeperParts): Promise<KeeperNode> {
  const { node } = await openNode(
    keeper,
    {
      room: access.room,
      access,
      mode: 'join',
      storage,
      transport: relayTransport({ relay: signaling, dials: true }),
      signaling,
      clock,
      name,
      suffrage: 'voter',
      priority: 0,
      preferred: undefined,
      tuning: resolveTuning(),
      autopilot: resolveAutopilot(),
      lasting: true,
      reluctant: true,
      onCorrupt: 'refuse',
    },
    signal,
  );
  return node;
}
