/** Nodes whose two sides meet over a message channel alone, as they do when one of them stands in a worker. */
import { atTwoEnds } from '../../../src/runtime/crossing/split-runtime.ts';
import type { BuildNode } from '../../../src/runtime/node/runtime.ts';
import { type Line, portLine } from '../../../src/runtime/ports/line.ts';

export function channel(): readonly [Line, Line] {
  const { port1, port2 } = new MessageChannel();
  return [portLine(port1), portLine(port2)];
}

export const apart: BuildNode = atTwoEnds(channel);

/** The same, with an application side that can be held up: it hears nothing until it is let go on, and then all of it in order. */
export function heldUp(): { readonly build: BuildNode; hold(): void; goOn(): void; waiting(): number } {
  let held: (() => void)[] | undefined;
  let calls = 0;
  const build = atTwoEnds(() => {
    const [near, far] = channel();
    const listen: Line['listen'] = (onMessage) =>
      far.listen((message) => {
        if (held === undefined) return onMessage(message);
        calls += (message as readonly unknown[]).length;
        held.push(() => onMessage(message));
      });
    return [near, { ...far, listen }];
  });
  return {
    build,
    hold: () => {
      held = [];
      calls = 0;
    },
    /** Calls that it has not heard. */
    waiting: () => calls,
    goOn: () => {
      const waiting = held ?? [];
      held = undefined;
      for (const hear of waiting) hear();
    },
  };
}

/** Every cluster of this run is built so: `TABRAFT_SIDES=apart npx vitest run test/runtime`. */
export const SIDES_APART: boolean = process.env['TABRAFT_SIDES'] === 'apart';
