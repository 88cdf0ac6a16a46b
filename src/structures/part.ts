/** How a structure's type is written: what it takes and answers, command by command. */
import type { ApplyContext } from '../state/state-machine.ts';

export type Handler<S, I, O> = (state: S, input: I, context: ApplyContext) => O;
export type Query<S, I, O> = (state: Readonly<S>, input: I) => O;
export type BareQuery<S, O> = (state: Readonly<S>) => O;
