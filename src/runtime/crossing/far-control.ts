/** `node.membership` and `node.admin` of a node whose consensus stands at the other end of a line. */
import { RaftError } from '../../core/errors.ts';
import type { Entry } from '../../core/types.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type {
  Admin,
  AutopilotTable,
  CallOptions,
  ClusterConfig,
  EntryInfo,
  Explanation,
  Membership,
  VerifyReport,
} from '../api/api.ts';
import { awaitCall, checkCallOptions } from '../api/call-options.ts';
import type { NodeView } from '../api/view.ts';
import type { Divergence } from '../client/divergence.ts';
import { describeEntry } from '../node/describe-entry.ts';
import type { Bridge, ChunksRef } from './bridge.ts';
import type { AdminCall, FarCall, MembershipCall } from './calls-served.ts';

/** Calls of one node, each under a number by which it can be aborted. */
class Caller {
  readonly #bridge: Bridge;
  #next = 1;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  /** Errors: invalid-argument for what no thread can be given, and those of the call. */
  async run(target: 'admin' | 'membership', name: AdminCall | MembershipCall, args: readonly unknown[]): Promise<unknown> {
    const number = this.#next++;
    const signalAt = args.findIndex(hasSignal);
    const signal = signalAt < 0 ? undefined : (args[signalAt] as CallOptions).signal;
    if (signal !== undefined) checkCallOptions({ signal });
    const call: FarCall = { number, signalAt, given: plain(args.map((one, i) => (i === signalAt ? withoutSignal(one) : one))) };
    return awaitCall<unknown>(signal, (resolve, reject) => {
      this.#bridge.ask(target, name, call).then(resolve, reject);
      return () => this.#bridge.call('abort', number);
    });
  }
}

export class FarMembership implements Membership {
  readonly #caller: Caller;
  readonly #view: NodeView;

  constructor(bridge: Bridge, view: NodeView) {
    this.#caller = new Caller(bridge);
    this.#view = view;
  }

  get current(): ClusterConfig {
    return this.#view.config;
  }

  invite(...args: Parameters<Membership['invite']>): ReturnType<Membership['invite']> {
    return this.#call('invite', args);
  }

  revokeInvite(...args: Parameters<Membership['revokeInvite']>): ReturnType<Membership['revokeInvite']> {
    return this.#call('revokeInvite', args);
  }

  rotateSecret(...args: Parameters<Membership['rotateSecret']>): ReturnType<Membership['rotateSecret']> {
    return this.#call('rotateSecret', args);
  }

  expel(...args: Parameters<Membership['expel']>): ReturnType<Membership['expel']> {
    return this.#call('expel', args);
  }

  add(...args: Parameters<Membership['add']>): ReturnType<Membership['add']> {
    return this.#call('add', args);
  }

  remove(...args: Parameters<Membership['remove']>): ReturnType<Membership['remove']> {
    return this.#call('remove', args);
  }

  promote(...args: Parameters<Membership['promote']>): ReturnType<Membership['promote']> {
    return this.#call('promote', args);
  }

  demote(...args: Parameters<Membership['demote']>): ReturnType<Membership['demote']> {
    return this.#call('demote', args);
  }

  replace(...args: Parameters<Membership['replace']>): ReturnType<Membership['replace']> {
    return this.#call('replace', args);
  }

  change(...args: Parameters<Membership['change']>): ReturnType<Membership['change']> {
    return this.#call('change', args);
  }

  setPriority(...args: Parameters<Membership['setPriority']>): ReturnType<Membership['setPriority']> {
    return this.#call('setPriority', args);
  }

  leave(...args: Parameters<Membership['leave']>): ReturnType<Membership['leave']> {
    return this.#call('leave', args);
  }

  #call<N extends MembershipCall>(name: N, args: readonly unknown[]): ReturnType<Membership[N]> {
    return this.#caller.run('membership', name, args) as ReturnType<Membership[N]>;
  }
}

interface AdminParts {
  readonly bridge: Bridge;
  readonly view: NodeView;
  readonly state: ReplicatedState;
  readonly divergence: Divergence;
}

export class FarAdmin implements Admin {
  readonly #parts: AdminParts;
  readonly #caller: Caller;

  constructor(parts: AdminParts) {
    this.#parts = parts;
    this.#caller = new Caller(parts.bridge);
  }

  transferLeadership(...args: Parameters<Admin['transferLeadership']>): ReturnType<Admin['transferLeadership']> {
    return this.#call('transferLeadership', args);
  }

  stepDown(...args: Parameters<Admin['stepDown']>): ReturnType<Admin['stepDown']> {
    return this.#call('stepDown', args);
  }

  campaign(...args: Parameters<Admin['campaign']>): ReturnType<Admin['campaign']> {
    return this.#call('campaign', args);
  }

  snapshot(...args: Parameters<Admin['snapshot']>): ReturnType<Admin['snapshot']> {
    return this.#call('snapshot', args);
  }

  compact(...args: Parameters<Admin['compact']>): ReturnType<Admin['compact']> {
    return this.#call('compact', args);
  }

  describeMetadata(...args: Parameters<Admin['describeMetadata']>): ReturnType<Admin['describeMetadata']> {
    return this.#call('describeMetadata', args);
  }

  planRecovery(...args: Parameters<Admin['planRecovery']>): ReturnType<Admin['planRecovery']> {
    return this.#call('planRecovery', args);
  }

  recover(...args: Parameters<Admin['recover']>): ReturnType<Admin['recover']> {
    return this.#call('recover', args);
  }

  async verify(options: CallOptions = {}): Promise<VerifyReport> {
    checkCallOptions(options);
    requireMember(this.#parts.view);
    return this.#parts.divergence.verify(options);
  }

  async describeLog(...args: Parameters<Admin['describeLog']>): Promise<readonly EntryInfo[]> {
    const entries = (await this.#caller.run('admin', 'logEntries', args)) as readonly Entry[];
    return entries.map((entry) => describeEntry(entry, this.#parts.state.machine));
  }

  export(): AsyncIterable<Uint8Array> {
    requireMember(this.#parts.view);
    return lent(this.#parts.bridge);
  }

  autopilot(): AutopilotTable | undefined {
    return this.#parts.view.autopilot();
  }

  explain(): Explanation {
    return this.#parts.view.explain();
  }

  #call<N extends AdminCall & keyof Admin>(name: N, args: readonly unknown[]): ReturnType<Admin[N]> {
    return this.#caller.run('admin', name, args) as ReturnType<Admin[N]>;
  }
}

async function* lent(bridge: Bridge): AsyncIterable<Uint8Array> {
  yield* bridge.read((await bridge.ask('export')) as ChunksRef);
}

/** Errors: stopped, removed, not-a-member. */
function requireMember(view: NodeView): void {
  view.assertRunning();
  if (view.clusterId === '') throw new RaftError('not-a-member', 'This node belongs to no cluster yet.');
}

function hasSignal(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'signal' in value && value.signal instanceof AbortSignal;
}

function withoutSignal(value: unknown): unknown {
  const { signal: _, ...rest } = value as CallOptions;
  return rest;
}

function plain(given: readonly unknown[]): readonly unknown[] {
  try {
    return structuredClone(given);
  } catch (cause) {
    throw new RaftError('invalid-argument', `This cannot be handed to another thread: ${String(cause)}`, { cause });
  }
}
