/** The browser front door: assembles IndexedDB, WebRTC and signaling into a node. */

export type { RaftErrorCode } from './core/errors.ts';
export { RaftError } from './core/errors.ts';
export type { Index, NodeId, Term } from './core/types.ts';
export type * from './runtime/api.ts';
export type { ApplyContext } from './state/state-machine.ts';
export type { Command, Handlers, Queries, ResultOf, StateMachine } from './state/types.ts';
