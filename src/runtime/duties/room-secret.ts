/**
 * The room's secret when it was changed: the log says which one is in force (a commitment, never the secret), a member that has it
 * gives it over proven links to members that may let in voters, and each keeps it beside its log. Who sleeps through a change is
 * still known by its key, and asks when it has read of it.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { NodeStore } from '../../storage/storage.ts';
import { type Access, withSecret } from '../../trust/access.ts';
import { sameBytes } from '../../trust/bytes.ts';
import { trustErrorOf } from '../../trust/errors.ts';
import { decodeSecrets, encodeSecrets, type KeptSecret, SECRET_RECORD, SECRETS_MADE_RECORD } from '../../trust/kept-secret.ts';
import type { TrustCommand } from '../../trust/ledger.ts';
import { SECRET_BYTES_MAX, SECRET_BYTES_MIN, SECRETS_MADE_MAX } from '../../trust/limits.ts';
import type { TrustGate } from '../../trust/links/gate.ts';
import { createSecret } from '../../trust/secret.ts';
import type { Emitter } from '../api/emitter.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import { type CallResult, NO_BODY } from '../peers/peers.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import type { ReplyTo } from './admission.ts';

/** A member that does not answer with the secret is asked again, after the others, when so long has passed: at first, and at the most. In ms. */
const ASK_MIN_MS = 250;
const ASK_MAX_MS = 8_000;
const ANSWER_TIMEOUT_MS = 5_000;

export interface MadeSecret {
  readonly made: KeptSecret;
  readonly command: TrustCommand;
}

interface Waiting {
  readonly epoch: number;
  readonly resolve: () => void;
  readonly reject: (error: RaftError) => void;
}

export interface RoomSecretParts {
  readonly standing: Standing;
  readonly trust: Trust;
  readonly store: NodeStore;
  readonly emitter: Emitter;
}

export class RoomSecret {
  readonly #parts: RoomSecretParts;
  /** Made here, durable, and not known to be in force. */
  #made: readonly KeptSecret[] = [];
  /** Those that have been in force here, the newest first: a link that says one of them is old. */
  #known: readonly KeptSecret[] = [];
  #waiting: Waiting[] = [];
  #told: string | undefined;
  #busy = false;
  #ended: RaftError | undefined;
  #askAtMs = 0;
  #pauseMs = ASK_MIN_MS;
  #lastAsked: NodeId = NO_NODE;

  constructor(parts: RoomSecretParts) {
    this.#parts = parts;
  }

  /** What an earlier life of this node has kept, before its first link. Errors: insecure-context. */
  async load(records: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { trust } = this.#parts;
    const { gate } = trust;
    if (gate === undefined) return;
    this.#made = decodeSecrets(records.get(SECRETS_MADE_RECORD));
    this.#known = decodeSecrets(records.get(SECRET_RECORD));
    const [newest] = this.#known;
    const given = gate.access.shared?.bytes;
    // A link with a secret that this node has never known is newer than what it has kept.
    const isOld = given === undefined || this.#known.some(({ bytes }) => sameBytes(bytes, given));
    if (newest !== undefined && isOld) gate.access = await withSecret(gate.access, newest.bytes, newest.epoch);
    this.#told = trust.roomLink;
  }

  stop(error: RaftError): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Another ledger is in force here. */
  onDecided(): void {
    this.#tell();
    if (this.#outdated() !== undefined) void this.#find();
  }

  tick(): void {
    const gate = this.#outdated();
    const { clock, id } = this.#parts.standing;
    if (gate === undefined || this.#busy || clock.monotonicMs() < this.#askAtMs) return;
    if (this.#parts.trust.roleOf(id) === 'voter') this.#ask();
  }

  /** A member wants to know it. It is for those that may let in voters. Errors: not-authorized, rejected, busy. */
  onCall(peer: NodeId, _body: Uint8Array, reply: ReplyTo): void {
    const { trust } = this.#parts;
    const { gate } = trust;
    if (gate === undefined || gate.access.open) return reply(NO_BODY, new RaftError('rejected', 'This room has no secret.'));
    if (trust.roleOf(peer) !== 'voter' || trust.isRevoked(peer))
      return reply(NO_BODY, trustErrorOf('not-authorized', "the room's secret is for those that may let in voters"));
    const { shared, epoch } = gate.access;
    if (shared === undefined || epoch !== trust.secret.epoch)
      return reply(
        NO_BODY,
        new RaftError('busy', "This node does not know the room's secret yet.", { retryAfterMs: ASK_MIN_MS }),
      );
    reply(shared.bytes);
  }

  /** A secret that the log may be told of: it is durable here. Errors: invalid-argument, busy, quota, storage. */
  async make(): Promise<MadeSecret> {
    const { trust, store } = this.#parts;
    const { gate } = trust;
    if (gate === undefined || gate.access.open)
      throw new RaftError('invalid-argument', 'Only a room that has a secret can change it.');
    if (this.#made.length >= SECRETS_MADE_MAX)
      throw new RaftError('busy', `Of ${SECRETS_MADE_MAX} secrets made here it is not known yet whether they are in force.`);
    const made: KeptSecret = { epoch: trust.secret.epoch + 1, bytes: createSecret(gate.access.room).bytes };
    this.#made = [...this.#made, made];
    try {
      const { secret } = await withSecret(gate.access, made.bytes, made.epoch);
      if (secret === undefined) throw new RaftError('invalid-argument', 'Only a room that has a secret can change it.');
      await store.write({ putRecords: [[SECRETS_MADE_RECORD, encodeSecrets(this.#made)]] });
      return { made, command: { kind: 'secret', epoch: made.epoch, commitment: secret.commitment } };
    } catch (error) {
      this.#made = this.#made.filter((other) => other !== made);
      throw RaftError.is(error) ? error : storageErrorOf(error);
    }
  }

  /** It has not come into force, and never will. */
  forget(made: KeptSecret): void {
    this.#made = this.#made.filter((other) => other !== made);
  }

  /** Resolves when the secret of this epoch, or of a later one, is known here. Errors: that of the node's end. */
  inForce(epoch: number): Promise<void> {
    if ((this.#parts.trust.gate?.access.epoch ?? 0) >= epoch) return Promise.resolve();
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => void this.#waiting.push({ epoch, resolve, reject }));
  }

  /** The gate of a node that has read of a secret which it does not have. */
  #outdated(): TrustGate | undefined {
    const { gate, secret } = this.#parts.trust;
    return gate === undefined || gate.access.open || gate.access.epoch >= secret.epoch ? undefined : gate;
  }

  /** Looks among what this node has: the secret of its link, and those that it made. */
  async #find(): Promise<void> {
    const { gate, secret } = this.#parts.trust;
    if (gate === undefined) return;
    const own = gate.access.shared?.bytes;
    const made = this.#made.filter(({ epoch }) => epoch === secret.epoch).map(({ bytes }) => bytes);
    for (const bytes of own === undefined ? made : [own, ...made]) if (await this.#tryOne(bytes)) return;
    // What was made for a change that others have made is of no use to anybody.
    if (this.#parts.trust.secret === secret) this.#made = this.#made.filter(({ epoch }) => epoch > secret.epoch);
  }

  /** Whether it is the one that the log says. */
  async #tryOne(bytes: Uint8Array): Promise<boolean> {
    const gate = this.#outdated();
    if (gate === undefined || bytes.length < SECRET_BYTES_MIN || bytes.length > SECRET_BYTES_MAX) return false;
    const { epoch, commitment } = this.#parts.trust.secret;
    const access = await withSecret(gate.access, bytes, epoch).catch(() => undefined);
    if (access?.secret === undefined || !sameBytes(access.secret.commitment, commitment)) return false;
    if (this.#outdated() === gate && this.#parts.trust.secret.epoch === epoch) this.#adopt(gate, access, { epoch, bytes });
    return true;
  }

  #adopt(gate: TrustGate, access: Access, kept: KeptSecret): void {
    const { store, emitter } = this.#parts;
    const before = gate.access;
    const { shared, epoch } = before;
    gate.access = access;
    this.#pauseMs = ASK_MIN_MS;
    this.#askAtMs = 0;
    this.#made = this.#made.filter((made) => made.epoch > kept.epoch);
    const known = this.#known.length > 0 || shared === undefined ? this.#known : [{ epoch, bytes: shared.bytes }];
    this.#known = [kept, ...known.filter(({ bytes }) => !sameBytes(bytes, kept.bytes))].slice(0, SECRETS_MADE_MAX);
    const putRecords = [
      [SECRET_RECORD, encodeSecrets(this.#known)],
      [SECRETS_MADE_RECORD, encodeSecrets(this.#made)],
    ] as const;
    // What is not kept is asked for again in the next life: others have it, or this node made it.
    store.write({ putRecords }).catch((error: unknown) => emitter.emit('fault', { error: storageErrorOf(error) }));
    gate.review();
    this.#tell();
    const due = this.#waiting.filter((one) => one.epoch <= kept.epoch);
    this.#waiting = this.#waiting.filter((one) => one.epoch > kept.epoch);
    for (const { resolve } of due) resolve();
  }

  #ask(): void {
    const { standing, trust } = this.#parts;
    const able = standing.peers
      .belonging()
      .map(({ id }) => id)
      .filter((id) => standing.peers.isLinked(id) && trust.roleOf(id) === 'voter')
      .sort();
    const next = able.find((id) => id > this.#lastAsked) ?? able[0];
    if (next === undefined) return;
    this.#lastAsked = next;
    this.#busy = true;
    standing.peers.call(next, 'secret', NO_BODY, ANSWER_TIMEOUT_MS, (result) => void this.#onAnswer(result));
  }

  async #onAnswer({ body, error }: CallResult): Promise<void> {
    const found = error === undefined && (await this.#tryOne(body.slice()));
    this.#busy = false;
    if (found) return;
    this.#askAtMs = this.#parts.standing.clock.monotonicMs() + this.#pauseMs;
    this.#pauseMs = Math.min(ASK_MAX_MS, 2 * this.#pauseMs);
  }

  #tell(): void {
    const { trust, emitter } = this.#parts;
    const link = trust.roomLink;
    if (link === this.#told) return;
    this.#told = link;
    emitter.emit('room-link', { link });
  }
}
