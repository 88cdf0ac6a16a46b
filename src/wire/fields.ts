/** Checks of single fields of an untrusted message. Each gives the typed value or refuses with `message-invalid`. */
import { isNodeId } from '../core/conf/node-id.ts';
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';

export function refuse(what: string): never {
  throw new RaftError('message-invalid', `message: ${what}`);
}

/** A whole number from 0 that is exact: an index, a term, a count. */
export function count(value: unknown, name: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : refuse(name);
}

export function integer(value: unknown, name: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse(name);
}

export function boolean(value: unknown, name: string): boolean {
  return typeof value === 'boolean' ? value : refuse(name);
}

export function text(value: unknown, charactersMax: number, name: string): string {
  return typeof value === 'string' && value.length <= charactersMax ? value : refuse(name);
}

export function nodeId(value: unknown, name: string): NodeId {
  return isNodeId(value) ? value : refuse(name);
}

export function bytes(value: unknown, bytesMax: number, name: string): Uint8Array {
  return value instanceof Uint8Array && value.length <= bytesMax ? value : refuse(name);
}

/** The word at a position of one of the wire's lists. */
export function word<T extends string>(list: readonly (T | undefined)[], position: unknown, name: string): T {
  return (typeof position === 'number' ? list[position] : undefined) ?? refuse(name);
}
