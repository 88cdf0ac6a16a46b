/** Coded errors as plain data, and back. */
import { RaftError } from '../../core/errors.ts';
import type { ErrorData } from './seam.ts';

export function errorData(error: RaftError): ErrorData {
  const { code, message, index, leaderHint, retryAfterMs, mayHaveApplied } = error;
  return { code, message, index, leaderHint, retryAfterMs, mayHaveApplied };
}

export function errorFrom({ code, message, ...details }: ErrorData): RaftError {
  return new RaftError(code, message, details);
}
