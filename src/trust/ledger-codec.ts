/** The ledger's commands and its image as bytes. What cannot be read is refused with a code, never half read. */
import { pack, unpack } from '../codec/pack.ts';
import { isNodeId } from '../core/conf/node-id.ts';
import type { NodeId } from '../core/types.ts';
import { malformed } from './bytes.ts';
import { readTicket } from './invite.ts';
import { InviteLedger, type InviteRecord, type LedgerImage, type TrustCommand } from './ledger.ts';
import { INVITE_USES_MAX, INVITES_MAX, REVOKED_MAX } from './limits.ts';
import { KEY_BYTES } from './primitives.ts';

const FORMAT = 1;
const TICKET_BYTES_MAX = 1_024;
const INVITE_ID_PATTERN = /^[0-9a-f]{32}$/;

/** A position in this list is part of the format: append only. */
const KINDS: readonly TrustCommand['kind'][] = ['invite', 'use', 'revoke-invite', 'revoke-member', 'secret'];

export function encodeTrustCommand(command: TrustCommand): Uint8Array {
  return pack([KINDS.indexOf(command.kind), ...fieldsOf(command)]);
}

function fieldsOf(command: TrustCommand): readonly unknown[] {
  switch (command.kind) {
    case 'invite':
      return [command.ticket, command.welcomeKey];
    case 'use':
      return [command.inviteId, command.node];
    case 'revoke-invite':
      return [command.inviteId];
    case 'revoke-member':
      return [command.node];
    case 'secret':
      return [command.epoch, command.commitment];
  }
}

/** Errors: message-invalid. */
export function decodeTrustCommand(bytes: Uint8Array): TrustCommand {
  const value = unpack(bytes);
  if (!Array.isArray(value)) return malformed('no command');
  const [code, ...fields] = value as readonly unknown[];
  const kind = typeof code === 'number' ? KINDS[code] : undefined;
  const command = kind === undefined ? undefined : commandOf(kind, fields[0], fields[1]);
  if (command === undefined || fieldsOf(command).length !== fields.length) return malformed('an unknown command');
  return command;
}

function commandOf(kind: TrustCommand['kind'], first: unknown, second: unknown): TrustCommand {
  switch (kind) {
    case 'invite':
      return { kind, ticket: bytesOf(first, TICKET_BYTES_MAX), welcomeKey: bytesOf(second, KEY_BYTES) };
    case 'use':
      return { kind, inviteId: inviteIdOf(first), node: nodeIdOf(second) };
    case 'revoke-invite':
      return { kind, inviteId: inviteIdOf(first) };
    case 'revoke-member':
      return { kind, node: nodeIdOf(first) };
    case 'secret':
      return { kind, epoch: countOf(first), commitment: bytesOf(second, KEY_BYTES) };
  }
}

function bytesOf(value: unknown, max: number): Uint8Array {
  return value instanceof Uint8Array && value.length <= max ? value.slice() : malformed('bytes are missing or too long');
}

function inviteIdOf(value: unknown): string {
  return typeof value === 'string' && INVITE_ID_PATTERN.test(value) ? value : malformed('not the id of an invite');
}

function nodeIdOf(value: unknown): NodeId {
  return typeof value === 'string' && isNodeId(value) ? value : malformed('not the id of a node');
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : malformed('not a count');
}

/** For snapshots: the same bytes on every member. */
export function encodeLedger(ledger: InviteLedger): Uint8Array {
  const { secret, invites, revoked } = ledger.image();
  const rows = invites.map(([id, { ticket, welcomeKey, issuer, usedBy, revoked: isRevoked }]) => [
    id,
    ticket,
    welcomeKey,
    issuer,
    usedBy,
    isRevoked,
  ]);
  return pack([FORMAT, secret.epoch, secret.commitment, rows, revoked]);
}

/** Errors: message-invalid. */
export function decodeLedger(bytes: Uint8Array): InviteLedger {
  const value = unpack(bytes);
  if (!Array.isArray(value) || value.length !== 5 || value[0] !== FORMAT) return malformed('no ledger');
  const [, epoch, commitment, invites, revoked] = value as readonly unknown[];
  const image: LedgerImage = {
    secret: { epoch: countOf(epoch), commitment: bytesOf(commitment, KEY_BYTES) },
    invites: rowsOf(invites, 6, INVITES_MAX).map((row) => [inviteIdOf(row[0]), recordOf(row)]),
    revoked: rowsOf(revoked, 2, REVOKED_MAX).map((row) => [nodeIdOf(row[0]), countOf(row[1])]),
  };
  return InviteLedger.of(image);
}

function rowsOf(value: unknown, width: number, max: number): readonly (readonly unknown[])[] {
  if (!Array.isArray(value) || value.length > max) return malformed('a list is missing or too long');
  return value.map((row: unknown) => (Array.isArray(row) && row.length === width ? row : malformed('a row is malformed')));
}

function recordOf([id, ticket, welcomeKey, issuer, usedBy, revoked]: readonly unknown[]): InviteRecord {
  if (!Array.isArray(usedBy) || usedBy.length > INVITE_USES_MAX || typeof revoked !== 'boolean') return malformed('an invite');
  const bytes = bytesOf(ticket, TICKET_BYTES_MAX);
  if (readTicket(bytes).inviteId !== id) return malformed('a ticket of another invite');
  return {
    ticket: bytes,
    welcomeKey: bytesOf(welcomeKey, KEY_BYTES),
    issuer: nodeIdOf(issuer),
    usedBy: usedBy.map(nodeIdOf),
    revoked,
  };
}
