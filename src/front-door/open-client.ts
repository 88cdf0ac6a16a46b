/** Opening a client from its parts: the one path for a page, for Node, for a test. */
import { RaftError } from '../core/errors.ts';
import type { ClientNode } from '../runtime/api/client.ts';
import { resolveTuning } from '../runtime/api/options.ts';
import { ClientRuntime } from '../runtime/guest/client-runtime.ts';
import { Client } from '../runtime/guest/public-client.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { requireInteger } from '../runtime/ports/require-integer.ts';
import type { Names } from '../runtime/ports/require-known.ts';
import type { Signaling } from '../signaling/signaling.ts';
import { TypedMachine } from '../state/typed-machine.ts';
import type { Handlers, Queries, StateMachine } from '../state/types.ts';
import type { Transport } from '../transport/transport.ts';
import { type Access, withInvite } from '../trust/access.ts';
import { toHex } from '../trust/bytes.ts';
import { createKeyPair, identityOf } from '../trust/identity.ts';
import { TrustGate } from '../trust/links/gate.ts';
import { randomBytes, requireSubtle } from '../trust/primitives.ts';
import { checkCall } from './check-call.ts';
import type { RoomOptions } from './room-access.ts';

/** What every client is opened with, wherever it runs. */
export interface ClientOptions extends Omit<RoomOptions, 'authorize'> {
  /** A name for people. */
  readonly name?: string;
  /** How long a call waits unless it says otherwise, in ms. Default 10,000. */
  readonly callTimeoutMs?: number;
  /** Hears what stops nothing and somebody should see: a link that fails, a watch that ended. Default: the console. */
  readonly onFault?: (error: RaftError) => void;
  /** Aborts the opening. */
  readonly signal?: AbortSignal;
}

/** Their names, for both front doors. */
export const CLIENT_OPTION_NAMES: Names<ClientOptions> = {
  secret: true,
  openRoom: true,
  name: true,
  callTimeoutMs: true,
  onFault: true,
  signal: true,
};

export interface ClientEnvironment {
  readonly access: Access;
  readonly transport: Transport;
  readonly signaling: Signaling;
  readonly clock: Clock;
}

/** Errors: invalid-argument, room-invalid. */
export function checkClientCall(
  room: unknown,
  machine: unknown,
  options: object | undefined,
  names: Readonly<Record<string, true>>,
): void {
  checkCall(room, machine, options, names);
  if (typeof machine === 'object' && machine !== null && 'apply' in machine)
    throw new RaftError(
      'invalid-argument',
      'A client needs a machine of commands and queries (defineStateMachine): it asks by their names.',
    );
}

/** Errors: insecure-context, invite-invalid, invite-expired, clock-skew, webrtc-unavailable, aborted, invalid-argument. */
export async function openClientIn<S, C extends Handlers<S>, Q extends Queries<S>>(
  definition: StateMachine<S, C, Q>,
  { access, transport, signaling, clock }: ClientEnvironment,
  { name = '', callTimeoutMs, onFault = sayFault, signal }: ClientOptions,
): Promise<ClientNode<S, C, Q>> {
  const tuning = resolveTuning();
  if (callTimeoutMs !== undefined) requireInteger('callTimeoutMs', callTimeoutMs, 1, 3_600_000);
  requireSubtle();
  const identity = await identityOf(await createKeyPair(false));
  const gate = new TrustGate(identity, await withInvite(access, clock.wallMs()), clock);
  const machine = new TypedMachine(definition);
  const runtime = new ClientRuntime({
    id: identity.id,
    bootNonce: toHex(randomBytes(8)),
    access,
    room: access.room,
    name,
    transport: gate.wrap(transport),
    gate,
    signaling,
    clock,
    machineVersion: machine.version,
    callTimeoutMs: callTimeoutMs ?? tuning.callTimeoutMs,
    pendingCallsMax: tuning.pendingCallsMax,
    onFault: told(onFault),
  });
  try {
    throwIfAborted(signal);
    await runtime.start();
    throwIfAborted(signal);
    return new Client(runtime, machine, tuning.commandBytesMax);
  } catch (error) {
    await runtime.stop();
    throw error;
  }
}

/** What a listener throws is its own affair. */
function told(onFault: (error: RaftError) => void): (error: RaftError) => void {
  return (error) => {
    try {
      onFault(error);
    } catch (thrown) {
      sayFault(new RaftError('handler-failed', `onFault threw: ${String(thrown)}`, { cause: thrown }));
    }
  };
}

function sayFault(error: RaftError): void {
  globalThis.console.warn(`tabraft client: ${error.code}: ${error.message}`);
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new RaftError('aborted', 'Opening the client was aborted.', { mayHaveApplied: false });
}
