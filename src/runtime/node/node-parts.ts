/** What the public node is made of, wherever its two sides stand. */
import type { Goodbye } from '../../wire/peer-message.ts';
import type { Admin, Membership, Presence, Recording, TraceEvent, TuningOptions } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { Registration } from '../api/registration.ts';
import type { NodeView } from '../api/view.ts';
import type { Clock } from '../ports/clock.ts';
import type { ApplicationNode } from './application-node.ts';

export interface NodeParts {
  readonly room: string;
  /** Whoever has it comes in; undefined where links prove nothing. */
  readonly roomLink: string | undefined;
  readonly view: NodeView;
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly emitter: Emitter;
  readonly application: ApplicationNode;
  readonly presence: Presence;
  readonly membership: Membership;
  readonly admin: Admin;
  readonly recorder: Recording | undefined;
  /** Errors: busy. */
  trace(listener: (event: TraceEvent) => void, signal?: AbortSignal): Registration;
  stop(reason: Goodbye['reason']): Promise<void>;
}
