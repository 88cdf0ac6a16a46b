/** What a page and the worker that holds the files say to each other: plain data, one answer to each question. */
import { ERROR_CODES, RaftError, type RaftErrorCode } from '../../core/errors.ts';
import type { Medium } from '../packed/medium.ts';

/** Methods of a medium that are asked over the channel. */
export type MediumMethod = 'commit' | 'get' | 'all' | 'scan' | 'keys' | 'estimate' | 'close' | 'destroy';
type ArgumentsOf<M extends MediumMethod> = Parameters<Medium[M]>;
export type AnswerOf<M extends MediumMethod> = Awaited<ReturnType<Medium[M]>>;

export interface OpenQuestion {
  readonly id: number;
  readonly ask: 'open';
  /** The directory that holds the node's, and the node's name in it. */
  readonly parent: FileSystemDirectoryHandle;
  readonly name: string;
  /** A Web Lock that the worker holds while it lives: whoever gets it knows that the worker is dead. */
  readonly aliveLock: string;
}
export type MediumQuestion = {
  readonly [M in MediumMethod]: { readonly id: number; readonly ask: M; readonly given: ArgumentsOf<M> };
}[MediumMethod];
export type Question = OpenQuestion | MediumQuestion;

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: RaftErrorCode; readonly message: string };

export function failureAnswer(id: number, error: unknown): Answer {
  if (RaftError.is(error)) return { id, code: error.code, message: error.message };
  return { id, code: 'storage', message: error instanceof Error ? error.message : String(error) };
}

/** undefined for what is no answer of ours. */
export function readAnswer(data: unknown): Answer | undefined {
  if (typeof data !== 'object' || data === null || !('id' in data) || typeof data.id !== 'number') return undefined;
  if ('code' in data) {
    const known = typeof data.code === 'string' && Object.hasOwn(ERROR_CODES, data.code);
    const code = known ? (data.code as RaftErrorCode) : 'storage';
    return { id: data.id, code, message: 'message' in data ? String(data.message) : '' };
  }
  return { id: data.id, value: 'value' in data ? data.value : undefined };
}
