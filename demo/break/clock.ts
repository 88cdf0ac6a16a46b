/** The page's wall clock, set wrong on purpose: the one that the node tells the time by. */
const rightly = Date.now;

/** How far ahead the page's clock is, in ms; 0 when it is right. */
let ahead = 0;

export function setClockAhead(ms: number): void {
  ahead = ms;
  Date.now = ms === 0 ? rightly : () => rightly() + ahead;
}

export function clockAheadMs(): number {
  return ahead;
}
