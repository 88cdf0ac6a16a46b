/** One question to the admin server of a running process. */
import { isErrorCode, RaftError, type RaftErrorCode } from '../../core/errors.ts';

/** Longer than the server takes for any of its calls: ms. */
const TIMEOUT_MS = 30_000;

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

/** The answer, when there is one of success. Errors: those the process gave; not-open when there is none. */
export async function ask(admin: string, { method, path, body }: Question, stays = false): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, admin), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      ...(stays ? {} : { signal: AbortSignal.timeout(TIMEOUT_MS) }),
    });
  } catch (cause) {
    const text = `Nothing answers at ${admin}. Is "tabraft peer" running here? Its log names its admin server; say --admin URL if it is another.`;
    throw new RaftError('not-open', text, { cause });
  }
  if (response.ok) return response;
  throw refusal(await response.text(), response.status);
}

function refusal(text: string, status: number): RaftError {
  try {
    const { code, message } = JSON.parse(text) as { readonly code?: unknown; readonly message?: unknown };
    const known: RaftErrorCode = isErrorCode(code) ? code : 'rejected';
    return new RaftError(known, String(message));
  } catch {
    return new RaftError('rejected', `The process answered ${status}: ${text.slice(0, 200)}`);
  }
}
