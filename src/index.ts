/** The browser front door: a node in this page, with IndexedDB, WebRTC and a signaling server. */

export type { RaftErrorCode } from './core/errors.ts';
export { RaftError } from './core/errors.ts';
export type { Index, NodeId, Term } from './core/types.ts';
export { IdbStorage, type OpenClientOptions, type OpenOptions, openClient, raft, type Transport } from './front-door/browser.ts';
export { type BrowserStorageKind, type BrowserStorageOptions, browserStorage } from './front-door/browser-storage.ts';
export { exportNode, importNode, recoverNode } from './front-door/device-tools.ts';
export { createRoomLink, type RoomOptions } from './front-door/room-access.ts';
export type * from './runtime/api/api.ts';
export type { ApplyContext, ByteMachine } from './state/state-machine.ts';
export { defineStateMachine } from './state/typed-machine.ts';
export type { Command, Handlers, Queries, ResultOf, StateMachine } from './state/types.ts';
export { type Authorize, adminsOnly, allOf, type Requester, type TrustRequest } from './trust/authorize.ts';
