/** The rooms of one process: a node in each, what is counted of it, and whether it is well. */
import { RaftError } from '../../core/errors.ts';
import type { EdgeOptions } from '../../front-door/edge.ts';
import { raft } from '../../front-door/edge.ts';
import { logNode } from '../../front-door/log-lines.ts';
import type { BaseNode } from '../../runtime/api/api.ts';
import { keeper } from '../../state/keeper.ts';
import type { ByteMachine } from '../../state/state-machine.ts';
import type { Links } from './links.ts';
import type { ProcessLogger } from './logger.ts';
import { loadMachine } from './machine.ts';
import type { PeerSettings, RoomSettings } from './settings.ts';

/** How long leadership may take to be handed over when the process ends: ms. */
const HANDOVER_MS = 2_000;

export interface RoomCounts {
  leaderChanges: number;
  faults: number;
  snapshots: number;
}

export interface RunningRoom {
  readonly settings: RoomSettings;
  readonly node: BaseNode<unknown>;
  readonly keeps: boolean;
  readonly counts: RoomCounts;
  /** What storage last complained of, until it works again; or why the node has ended. */
  trouble(): RaftError | undefined;
}

/** Errors: those of the module and of opening a node. */
export async function openRoom(
  settings: RoomSettings,
  peer: PeerSettings,
  links: Links,
  log: ProcessLogger,
): Promise<RunningRoom> {
  const machine = await loadMachine(settings.machine);
  const options: EdgeOptions = {
    signaling: peer.signaling,
    storage: { directory: peer.dir },
    link: links.options,
    name: settings.name,
    ...(settings.open ? { openRoom: true } : {}),
    suffrage: settings.as === 'voter' ? 'voter' : 'learner',
    priority: settings.priority,
    ...(settings.voters === undefined ? {} : { votersTarget: settings.voters }),
    ...(peer.snapshotEvery === undefined ? {} : { tuning: { snapshotEveryEntries: peer.snapshotEvery } }),
    // Its copy may be the only one: nothing takes its place unless somebody says so.
    onCorrupt: 'refuse',
  };
  // Both forms of a machine take the same way.
  const enter = settings.found ? raft.enter : raft.join;
  const node: BaseNode<unknown> = await enter(settings.entrance, machine as ByteMachine, options);
  logNode(node, log.node);
  log.node({ level: 'info', event: 'opened', room: settings.room, node: node.id, keeper: machine === keeper });
  return watched(settings, node, machine === keeper);
}

function watched(settings: RoomSettings, node: BaseNode<unknown>, keeps: boolean): RunningRoom {
  const counts: RoomCounts = { leaderChanges: 0, faults: 0, snapshots: 0 };
  let last: RaftError | undefined;
  let ended: RaftError | undefined;
  node.on('leader', () => void counts.leaderChanges++);
  node.on('snapshot', () => void counts.snapshots++);
  node.on('fault', ({ error }) => {
    counts.faults++;
    last = error;
  });
  node.on('fatal', ({ error }) => {
    ended = error;
  });
  const trouble = (): RaftError | undefined => {
    if (ended !== undefined) return ended;
    if (node.role === 'removed') return new RaftError('removed', 'The cluster has removed this node.');
    // Neither ended nor at work: its storage failed, and is tried again.
    return node.role === 'stopped' ? last : undefined;
  };
  return { settings, node, keeps, counts, trouble };
}

/**
 * A leader hands over first, and stays until the successor has committed with it: of a pair the other could not go on alone before.
 * Where that does not come about it leaves its vote to one of the others.
 */
export async function closeRoom({ node }: RunningRoom): Promise<void> {
  if (node.role === 'leader' && node.config.voters.length > 1) {
    await node.admin.transferLeadership(undefined, { timeoutMs: HANDOVER_MS }).catch(() => {});
    if (node.role !== 'leader') await node.barrier({ timeoutMs: HANDOVER_MS }).catch(() => {});
  }
  await node.stop({ transfer: false });
}
