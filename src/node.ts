/** The front door for Node processes at the edge. */
export type { RaftErrorCode } from './core/errors.ts';
export { RaftError } from './core/errors.ts';
export type { Index, NodeId, Term } from './core/types.ts';
export { exportNode, importNode, recoverNode } from './front-door/device-tools.ts';
export { type EdgeClientOptions, type EdgeLinks, type EdgeOptions, LmdbStorage, openClient, raft } from './front-door/edge.ts';
export { type Logger, type LogLevel, type LogLine, logNode } from './front-door/log-lines.ts';
export { createRoomLink, type RoomOptions } from './front-door/room-access.ts';
export type * from './runtime/api/api.ts';
export { keeper } from './state/keeper.ts';
export type { ApplyContext, ByteMachine } from './state/state-machine.ts';
export { defineStateMachine } from './state/typed-machine.ts';
export type { Command, Handlers, Queries, ResultOf, StateMachine } from './state/types.ts';
export { type Authorize, adminsOnly, allOf, type Requester, type TrustRequest } from './trust/authorize.ts';
