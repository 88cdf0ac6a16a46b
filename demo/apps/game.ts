/** Noughts and crosses: whose turn it is, is decided by the log. Two that move at once cannot both have moved. */
import type { ApplyContext, NodeId } from '../../src/index.ts';

export type Mark = 'X' | 'O';

export interface Player {
  readonly by: NodeId;
  readonly name: string;
}

export interface Game {
  cells: (Mark | '')[];
  readonly players: { X: Player | null; O: Player | null };
  turn: Mark;
  winner: Mark | 'nobody' | '';
}

export type MoveResult =
  | { readonly ok: true; readonly mark: Mark }
  | { readonly ok: false; readonly reason: 'over' | 'no-such-cell' | 'taken' | 'not-your-turn' | 'two-play' };

const CELLS = 9;
const ROWS: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
];

export function newGame(): Game {
  return { cells: new Array<Mark | ''>(CELLS).fill(''), players: { X: null, O: null }, turn: 'X', winner: '' };
}

interface WithGame {
  game: Game;
}

/** Whoever moves first is X; the first other one is O. */
export function move({ game }: WithGame, { cell, name }: { cell: number; name: string }, context: ApplyContext): MoveResult {
  if (game.winner !== '') return { ok: false, reason: 'over' };
  if (!Number.isInteger(cell) || cell < 0 || cell >= CELLS) return { ok: false, reason: 'no-such-cell' };
  const { turn, players } = game;
  const other = turn === 'X' ? 'O' : 'X';
  if (players[other]?.by === context.proposer) return { ok: false, reason: 'not-your-turn' };
  if (players[turn] !== null && players[turn].by !== context.proposer) {
    return { ok: false, reason: players[other] === null ? 'not-your-turn' : 'two-play' };
  }
  if (game.cells[cell] !== '') return { ok: false, reason: 'taken' };
  players[turn] ??= { by: context.proposer, name };
  game.cells[cell] = turn;
  game.winner = winnerOf(game.cells);
  game.turn = other;
  return { ok: true, mark: turn };
}

/** Anybody may begin anew: the same visitor need not come back. */
export function restart(state: WithGame): boolean {
  const played = state.game.cells.some((cell) => cell !== '');
  state.game = newGame();
  return played;
}

function winnerOf(cells: readonly (Mark | '')[]): Game['winner'] {
  for (const [a, b, c] of ROWS) {
    const mark = cells[a];
    if (mark !== undefined && mark !== '' && mark === cells[b] && mark === cells[c]) return mark;
  }
  return cells.includes('') ? '' : 'nobody';
}
