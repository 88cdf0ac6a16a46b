/**
 * Where this core differs on purpose from what etcd-io/raft does in the same place: one switch a difference. All are on;
 * off means "as there", which is for replaying that project's transcripts against this core, and for nothing else.
 * docs/DIVERGENCE.md says of each what it does and why.
 */
import { RaftError } from './errors.ts';

export interface Compat {
  /** Votes and their answers say how far the sender has committed, so that a candidate with an old configuration learns of it. */
  readonly commitInVotes: boolean;
  /** A leader that is removed or demoted steps down when it applies that. */
  readonly stepDownOnRemoval: boolean;
  /** No message of a term leaves before the term is durable: a restarted candidate cannot meet its own earlier votes. */
  readonly durableTermFirst: boolean;
  /** The core says no where the other keeps silent: a transfer that its target cannot take, a read that will not be confirmed. */
  readonly explicitRefusals: boolean;
  /** An acknowledgement of what this leader never sent is dropped: it could only be counted for something it is not. */
  readonly checkAcknowledgements: boolean;
  /** Appends to one follower are made when the Ready is taken, all in one; otherwise as soon as there is a reason. */
  readonly batchAppends: boolean;
  /** Reads asked before the heartbeats of a round are taken share that round. */
  readonly batchReads: boolean;
  /** A new configuration may confirm reads that wait for a quorum: they are looked at again at once. */
  readonly recheckReads: boolean;
  /** A single voter too answers reads only once it has committed in its term: its stored commit index may be old. */
  readonly singleVoterReadsWait: boolean;
}

/** Our own way in everything. */
export const OWN_WAY: Compat = Object.freeze({
  commitInVotes: true,
  stepDownOnRemoval: true,
  durableTermFirst: true,
  explicitRefusals: true,
  checkAcknowledgements: true,
  batchAppends: true,
  batchReads: true,
  recheckReads: true,
  singleVoterReadsWait: true,
});

/** Fills in what is not said. Errors: invalid-argument, naming the switch. */
export function makeCompat(input: Partial<Compat> = {}): Compat {
  if (typeof input !== 'object' || input === null)
    throw new RaftError('invalid-argument', 'compat: must be an object of switches');
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(OWN_WAY, name)) throw new RaftError('invalid-argument', `compat: there is no switch '${name}'`);
    if (typeof value !== 'boolean') throw new RaftError('invalid-argument', `compat.${name}: must be true or false`);
  }
  return { ...OWN_WAY, ...input };
}
