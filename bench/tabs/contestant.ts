/** What is compared: something that takes writes in one tab and shows them in the others. */

export interface Contestant {
  /** Starts it in this tab. The first tab that opens one is where the writes go. */
  open(room: string, place: number): Promise<void>;
  /** True when all three tabs are connected, and this one (place 0) takes the writes. */
  formed(): boolean;
  /** One operation of about 100 bytes; resolves when it is done, whatever that means for this contestant. */
  write(key: string, value: string): Promise<unknown>;
  /** What may explain a stall: moments at which something else happened here, as performance.now() tells them. */
  readonly events?: readonly { readonly atMs: number; readonly what: string }[];
  /** Calls back in every tab with each new value of MARK. */
  onMark(listener: (value: string) => void): void;
}

/** The key whose value the other tabs look out for. */
export const MARK = 'mark';
/** With its key and what a command is wrapped into, about 100 bytes. */
export const VALUE_BYTES = 80;
export const TABS = 3;
