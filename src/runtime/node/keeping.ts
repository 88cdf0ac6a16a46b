/** What is different on a node without a state machine. */
import { KeeperMachine, NO_MACHINE_VERSION } from '../../state/keeper.ts';
import { ReplicatedState } from '../../state/replicated-state.ts';
import type { Machine } from '../../state/state-machine.ts';
import type { NodeStore, StagedSnapshot } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Handover } from '../duties/handover.ts';
import { Renewal } from '../duties/renewal.ts';
import type { ClusterSettings } from '../member/configuration.ts';
import { KeptState } from '../member/kept-state.ts';
import type { Standing } from '../standing/standing.ts';

const keeps = (machine: Machine): boolean => machine instanceof KeeperMachine;

export function stateFor(machine: Machine, settings: ClusterSettings, store: NodeStore): ReplicatedState {
  return keeps(machine) ? new KeptState(machine, settings, store) : new ReplicatedState(machine, settings);
}

/** What consensus must know of the state machine. */
export interface MachineFacts {
  readonly version: number;
  /** There is none: this node votes and stores, and understands nothing. */
  readonly isKeeper: boolean;
}

export const factsOf = (machine: Machine): MachineFacts => ({ version: machine.version, isKeeper: keeps(machine) });

/** What its hello says. */
export const versionOf = ({ version, isKeeper }: MachineFacts): number => (isKeeper ? NO_MACHINE_VERSION : version);

/** A keeper makes no snapshot by itself: one would be as long as its log. */
export function memberOptions({ isKeeper }: MachineFacts, options: NodeOptions): NodeOptions {
  if (!isKeeper) return options;
  return { ...options, tuning: { ...options.tuning, snapshotEveryEntries: Number.MAX_SAFE_INTEGER } };
}

export function renewalFor(
  { isKeeper }: MachineFacts,
  standing: Standing,
  handover: Handover,
  emitter: Emitter,
): Renewal | undefined {
  return isKeeper ? new Renewal(standing, handover, emitter) : undefined;
}

/** The leader's state has come, for which this node has asked. */
export function onState(staged: StagedSnapshot, renewal: Renewal | undefined, reopen: (staged: StagedSnapshot) => unknown): void {
  if (renewal === undefined) void reopen(staged);
  else renewal.onSnapshot(staged);
}
