/** A fault of one line: where it is, what is looked for there, what takes its place, and what that breaks. */
export interface Mutant {
  readonly id: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly breaks: string;
}
export declare const MUTANTS: readonly Mutant[];
