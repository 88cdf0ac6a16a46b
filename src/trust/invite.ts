/**
 * Invites. The one who invites makes a key pair for the invite: its public half goes into a ticket, which the member signs and
 * the cluster's log keeps; its private half goes into the link. Whoever comes proves to have the private half without showing
 * it, so that neither who listens nor a member that only reads the log can come in its place. The welcome key, derived from
 * the private half and kept in the log too, is what members know in common with the invited one: it shows that they are members.
 */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { fromBase64Url, toBase64Url } from './base64url.ts';
import { ByteReader, ByteWriter, toHex } from './bytes.ts';
import { trustError, trustErrorOf } from './errors.ts';
import { type Identity, idOf } from './identity.ts';
import { CLOCK_SKEW_MAX_MS, INVITE_TTL_MAX_MS, INVITE_USES_MAX } from './limits.ts';
import {
  exportPublicKey,
  exportSigningCoordinates,
  generateSigningPair,
  hkdf,
  importSigningCoordinates,
  KEY_BYTES,
  PUBLIC_KEY_BYTES,
  randomBytes,
  SIGNATURE_BYTES,
  sign,
  verify,
} from './primitives.ts';
import { MEMBER_ROLES, type MemberRole } from './roles.ts';

export const INVITE_ID_BYTES = 16;
const VERSION = 1;
const CLUSTER_ID_BYTES_MAX = 256;
const TICKET_LABEL = 'tabraft trust 1 ticket';

/** What a ticket says. Times are ms since the epoch. */
export interface Ticket {
  readonly inviteId: string;
  readonly clusterId: string;
  readonly role: MemberRole;
  readonly uses: number;
  readonly issuedMs: number;
  readonly expiresMs: number;
  /** The invite's own key. */
  readonly inviteKey: Uint8Array;
  readonly issuerKey: Uint8Array;
  readonly issuer: NodeId;
}

export interface IssuedInvite {
  readonly inviteId: string;
  /** For the ledger. */
  readonly ticket: Uint8Array;
  readonly welcomeKey: Uint8Array;
  /** For the link, and for nowhere else. */
  readonly token: string;
}

/** What the invited node holds, made ready for handshakes. */
export interface PreparedInvite {
  readonly inviteId: string;
  /** What the link promises; what is granted is the ledger's word. */
  readonly role: MemberRole;
  readonly expiresMs: number;
  readonly inviteKey: CryptoKey;
  readonly welcomeKey: Uint8Array;
}

export interface InviteTerms {
  readonly role: MemberRole;
  readonly uses: number;
  readonly expiresMs: number;
}

/** Makes an invite. It counts once the ledger has taken it in. Errors: invalid-argument, insecure-context. */
export async function issueInvite(issuer: Identity, clusterId: string, terms: InviteTerms, nowMs: number): Promise<IssuedInvite> {
  requireTerms(terms, nowMs);
  const id = randomBytes(INVITE_ID_BYTES);
  const pair = await generateSigningPair(true);
  const [inviteKey, { d, x, y }] = await Promise.all([
    exportPublicKey(pair.publicKey),
    exportSigningCoordinates(pair.privateKey),
  ]);
  const secret = fromBase64Url(d) ?? new Uint8Array(0);
  const role = MEMBER_ROLES.indexOf(terms.role);
  const issuedMs = Math.floor(nowMs);
  const expiresMs = Math.floor(terms.expiresMs);
  const body = new ByteWriter().u8(VERSION).fixed(id).text(clusterId).u8(role).u16(terms.uses).u64(issuedMs).u64(expiresMs);
  const claims = body.fixed(inviteKey).fixed(issuer.publicKey).done();
  const signature = await sign(issuer.privateKey, signedPart(claims));
  const link = new ByteWriter().u8(VERSION).fixed(id).u8(role).u64(issuedMs).u64(expiresMs).fixed(secret);
  return {
    inviteId: toHex(id),
    ticket: new ByteWriter().fixed(claims).fixed(signature).done(),
    welcomeKey: await welcomeKeyOf(secret, id),
    token: toBase64Url(link.fixed(coordinate(x)).fixed(coordinate(y)).done()),
  };
}

function requireTerms({ role, uses, expiresMs }: InviteTerms, nowMs: number): void {
  if (!MEMBER_ROLES.includes(role)) throw new RaftError('invalid-argument', 'An invite is for a voter, a learner or a reader.');
  if (!Number.isSafeInteger(uses) || uses < 1 || uses > INVITE_USES_MAX) {
    throw new RaftError('invalid-argument', `An invite is for 1 to ${INVITE_USES_MAX} uses.`);
  }
  if (!(expiresMs > nowMs) || expiresMs > nowMs + INVITE_TTL_MAX_MS) {
    throw new RaftError('invalid-argument', 'An invite expires in the future, and within 30 days.');
  }
}

function coordinate(text: string): Uint8Array {
  return fromBase64Url(text) ?? new Uint8Array(0);
}

function welcomeKeyOf(secret: Uint8Array, inviteId: Uint8Array): Promise<Uint8Array> {
  return hkdf(secret, inviteId, new ByteWriter().text('tabraft trust 1 welcome').done(), KEY_BYTES);
}

function signedPart(claims: Uint8Array): Uint8Array {
  return new ByteWriter().text(TICKET_LABEL).bytes(claims).done();
}

/** Reads a ticket without checking its signature: what the ledger does, which must be able to say at once. Errors: invite-invalid. */
export function readTicket(ticket: Uint8Array): Omit<Ticket, 'issuer'> {
  try {
    return parseTicket(ticket).claims;
  } catch (cause) {
    throw trustError('invite-invalid', cause);
  }
}

function parseTicket(ticket: Uint8Array) {
  const reader = new ByteReader(ticket);
  if (reader.u8() !== VERSION) throw trustError('invite-invalid');
  const inviteId = toHex(reader.fixed(INVITE_ID_BYTES));
  const clusterId = reader.text(CLUSTER_ID_BYTES_MAX);
  const role = MEMBER_ROLES[reader.u8()];
  const uses = reader.u16();
  const issuedMs = reader.u64();
  const expiresMs = reader.u64();
  const inviteKey = reader.fixed(PUBLIC_KEY_BYTES);
  const issuerKey = reader.fixed(PUBLIC_KEY_BYTES);
  const body = reader.read();
  const signature = reader.fixed(SIGNATURE_BYTES);
  reader.end();
  if (role === undefined || uses < 1 || uses > INVITE_USES_MAX) throw trustError('invite-invalid');
  if (expiresMs <= issuedMs || expiresMs - issuedMs > INVITE_TTL_MAX_MS) throw trustError('invite-invalid');
  return { claims: { inviteId, clusterId, role, uses, issuedMs, expiresMs, inviteKey, issuerKey }, body, signature };
}

/** Whose signature it bears is checked; whether that one may invite is the ledger's to say. Errors: invite-invalid. */
export async function verifyTicket(ticket: Uint8Array, clusterId: string): Promise<Ticket> {
  const claims = readTicket(ticket);
  const { body, signature } = parseTicket(ticket);
  if (!(await verify(claims.issuerKey, signature, signedPart(body)))) {
    throw trustErrorOf('invite-invalid', 'its signature does not fit');
  }
  if (claims.clusterId !== clusterId) throw trustErrorOf('invite-invalid', 'it is for another cluster');
  return { ...claims, issuer: await idOf(claims.issuerKey) };
}

/**
 * Reads the invite of a link, before anything is sent: what is seen to be over is told at once.
 * Errors: invite-invalid, invite-expired, clock-skew, insecure-context.
 */
export async function prepareInvite(token: string, nowMs: number): Promise<PreparedInvite> {
  const { id, role, issuedMs, expiresMs, d, x, y } = readToken(token);
  if (nowMs < issuedMs - CLOCK_SKEW_MAX_MS) throw trustErrorOf('clock-skew', 'the invite was made later than it is here');
  if (nowMs > expiresMs + CLOCK_SKEW_MAX_MS) throw trustError('invite-expired');
  try {
    const inviteKey = await importSigningCoordinates({ d: toBase64Url(d), x: toBase64Url(x), y: toBase64Url(y) });
    return { inviteId: toHex(id), role, expiresMs, inviteKey, welcomeKey: await welcomeKeyOf(d, id) };
  } catch (cause) {
    if (RaftError.is(cause, 'insecure-context')) throw cause;
    throw trustError('invite-invalid', cause);
  }
}

function readToken(token: string) {
  const bytes = fromBase64Url(token);
  try {
    const reader = new ByteReader(bytes ?? new Uint8Array(0));
    if (reader.u8() !== VERSION) throw trustError('invite-invalid');
    const id = reader.fixed(INVITE_ID_BYTES);
    const role = MEMBER_ROLES[reader.u8()];
    if (role === undefined) throw trustError('invite-invalid');
    const times = { issuedMs: reader.u64(), expiresMs: reader.u64() };
    const key = { d: reader.fixed(KEY_BYTES), x: reader.fixed(KEY_BYTES), y: reader.fixed(KEY_BYTES) };
    reader.end();
    return { id, role, ...times, ...key };
  } catch (cause) {
    throw trustError('invite-invalid', cause);
  }
}
