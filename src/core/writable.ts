/**
 * How the owner of state takes the fields that it writes. State is read-only to everybody; who may write some of it declares
 * one view, `type Own = Writable<Raft, 'term' | 'vote'>`, and writes through that. The compiler then finds every other writer.
 */
export type Writable<T, K extends keyof T> = { -readonly [P in K]: T[P] };
