/** Requests and answers of the admin server: who may ask, how much may be said, errors as JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RaftError, type RaftErrorCode } from '../../core/errors.ts';

/** Bytes of a request's body. More is refused with 413. */
export const BODY_BYTES_MAX: number = 16 * 1024;

/**
 * Whoever is on this machine may ask; a page in a browser on it may not. A page's requests say where they come from, and a name that
 * somebody else has pointed at loopback stands in the Host.
 */
export function isFromThisMachine({ headers }: IncomingMessage): boolean {
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) return false;
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(headers.host ?? '');
}

/** Errors: too-large, invalid-argument. */
export async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) throw new RaftError('too-large', `A request takes at most ${BODY_BYTES_MAX} bytes.`);
    pieces.push(piece);
  }
  if (bytes === 0) return {};
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new RaftError('invalid-argument', 'The body is not JSON.', { cause });
  }
  throw new RaftError('invalid-argument', 'The body is an object of JSON.');
}

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  answerText(response, status, 'application/json; charset=utf-8', `${JSON.stringify(value)}\n`);
}

export function answerText(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

const STATUS: Partial<Readonly<Record<RaftErrorCode, number>>> = {
  'invalid-argument': 400,
  'room-invalid': 404,
  'too-large': 413,
  timeout: 504,
  invariant: 500,
};

export function answerError(response: ServerResponse, error: unknown): void {
  const coded = RaftError.is(error)
    ? error
    : new RaftError('invariant', `The request failed: ${String(error)}`, { cause: error });
  if (response.headersSent) return void response.destroy();
  const { code, message, retryable, mayHaveApplied, leaderHint } = coded;
  answerJson(response, STATUS[code] ?? (retryable ? 503 : 409), { code, message, retryable, mayHaveApplied, leader: leaderHint });
}
