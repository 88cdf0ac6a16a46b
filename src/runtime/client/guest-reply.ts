/** How a client's question is answered, once: with bytes, or with an error. */
import type { RaftError } from '../../core/errors.ts';

export type GuestReply = (body: Uint8Array, error?: RaftError) => void;
