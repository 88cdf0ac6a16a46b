/** Noughts and crosses for two tabs; the others watch. */
import { h, setAttribute, setText } from '../../../src/inspector/dom.ts';
import type { MoveResult } from '../../apps/game.ts';
import type { DemoNode } from '../../open.ts';
import type { Page, View } from '../../page.ts';
import { acting } from '../acting.ts';

const CELLS = 9;
const REFUSED: Readonly<Record<Exclude<MoveResult, { readonly ok: true }>['reason'], string>> = {
  over: 'This game is over: begin a new one.',
  'no-such-cell': 'There is no such field.',
  taken: 'Somebody was there first.',
  'not-your-turn': 'It is not your turn. Another tab has to move.',
  'two-play': 'Two others play this one. Begin a new game to join.',
};

export function gameView(): View {
  const outcome = acting('game-outcome');
  const cells = Array.from({ length: CELLS }, (_, cell) =>
    h('button', { type: 'button', 'data-cell': cell, onclick: () => void outcome.act((node, name) => play(node, name, cell)) }),
  );
  const says = h('p', { class: 'hint', 'data-testid': 'game-turn' });
  const again = h('button', { type: 'button', class: 'button', onclick: () => void outcome.act(begin) }, 'New game');
  return {
    element: h(
      'div',
      {},
      says,
      h('div', { class: 'game', role: 'group', 'aria-label': 'Board' }, ...cells),
      again,
      outcome.element,
    ),
    update: (page) => {
      outcome.update(page);
      const game = page.shared?.game;
      setText(says, game === undefined ? '' : turnOf(page));
      cells.forEach((button, i) => {
        const mark = game?.cells[i] ?? '';
        setText(button, mark);
        setAttribute(button, 'data-mark', mark);
        setAttribute(button, 'disabled', game === undefined || page.failure !== undefined);
        setAttribute(button, 'aria-label', `Field ${i + 1}: ${mark === '' ? 'free' : mark}`);
      });
    },
  };
}

function turnOf({ shared, status }: Page): string {
  const game = shared?.game;
  if (game === undefined) return '';
  if (game.winner === 'nobody') return 'Nobody wins.';
  const nameOf = (mark: 'X' | 'O'): string => {
    const player = game.players[mark];
    return player === null
      ? `whoever comes first (${mark})`
      : player.by === status?.id
        ? `this tab (${mark})`
        : `${player.name} (${mark})`;
  };
  return game.winner === '' ? `To move: ${nameOf(game.turn)}.` : `The winner is ${nameOf(game.winner)}.`;
}

async function play(node: DemoNode, name: string, cell: number): Promise<string> {
  const result = await node.propose({ type: 'move', cell, name });
  return result.ok ? `You played ${result.mark}.` : REFUSED[result.reason];
}

async function begin(node: DemoNode): Promise<string> {
  return (await node.propose({ type: 'restart' })) ? 'A new game.' : 'Nobody has moved yet.';
}
