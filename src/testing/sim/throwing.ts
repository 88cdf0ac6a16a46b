/** An application all of whose callbacks throw: that is its own affair, and no node may end or stumble by it (I38). */
import { RaftError } from '../../core/errors.ts';
import type { RaftEvents } from '../../runtime/api/api.ts';
import type { Emitter } from '../../runtime/api/emitter.ts';
import type { Runtime } from '../../runtime/node/runtime.ts';
import type { Evidence } from './evidence.ts';

const EVENTS: readonly (keyof RaftEvents)[] = [
  'role',
  'leader',
  'commit',
  'apply',
  'config',
  'fault',
  'snapshot',
  'peer',
  'fatal',
];
/** How long the condition that throws may be waited for, in ms: it is told at once. */
const CONDITION_MS = 1_000;

class OnPurpose extends Error {}

/** Whether an error that a listener threw was meant. */
export function isOnPurpose(error: unknown): boolean {
  return error instanceof OnPurpose;
}

/** Every callback that a node takes, throwing: counted, so that a run in which none was called is seen. */
export function throwEverywhere(engine: Runtime, emitter: Emitter, evidence: Evidence): void {
  const { application } = engine;
  const throwing = (what: string) => (): never => {
    evidence.mark(`callback:${what}`);
    throw new OnPurpose(what);
  };
  for (const event of EVENTS) emitter.on(event, throwing('event'));
  engine.trace(throwing('trace'));
  application.subscriptions.add(throwing('selector'), () => {});
  application.subscriptions.add((state) => JSON.stringify(state), throwing('subscriber'));
  application.leaderWork.add(throwing('leader work'));
  application.leaderWork.add(() => Promise.reject(new OnPurpose('leader work')));
  application.waiters.until(throwing('condition'), { timeoutMs: CONDITION_MS }).then(
    () => evidence.fail('I38', 'a condition that only throws was met'),
    (error: unknown) => {
      const told = RaftError.is(error, 'handler-failed') || RaftError.is(error, 'stopped');
      if (!told) evidence.fail('I38', `a condition that throws ended with ${String(error)}`);
    },
  );
}
