/** What tabs and the edge member tell while they run: one note after the other, as plain data. */
import type { OperationOutcome } from '../../src/testing/history/history.ts';

/** All times are ms since the epoch, by the one clock of this machine. */
export type Note =
  | {
      readonly t: 'call';
      readonly id: number;
      readonly key: string;
      readonly kind: string;
      readonly input: unknown;
      readonly start: number;
    }
  | {
      readonly t: 'answer';
      readonly id: number;
      readonly end: number;
      readonly outcome: OperationOutcome;
      readonly result: unknown;
    }
  | { readonly t: 'leads'; readonly at: number; readonly term: number }
  | { readonly t: 'follows'; readonly at: number; readonly term: number; readonly leader: string | undefined }
  | { readonly t: 'ended'; readonly at: number; readonly why: string }
  | {
      readonly t: 'status';
      readonly at: number;
      readonly cluster: string;
      readonly role: string;
      readonly term: number;
      readonly suffrage: string;
      readonly voters: readonly string[];
      readonly members: number;
      readonly tolerance: number;
      readonly leader: string | undefined;
    };

/** A note with who told it: one life of one node. */
export interface Told {
  /** The tab, or `edge`. */
  readonly place: string;
  /** Grows with each life in this place. */
  readonly life: number;
  readonly node: string;
  readonly note: Note;
}

/** The number of a life in its place goes with every note, because notes of a life that was killed may come late. */
export type Tell = (note: Note) => Promise<void> | void;

/** Tabs, edge and who judges them share the wall clock of one machine. */
export const now = (): number => Date.now();
