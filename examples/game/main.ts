/** A game by turns: the handler is the referee, the same one in every tab, so that nobody moves twice or out of turn. */
import { defineStateMachine, raft } from 'tabraft';

type Mark = 'X' | 'O';
interface Game {
  cells: (Mark | null)[];
  turn: Mark;
  winner: Mark | 'nobody' | null;
  /** Who plays which mark; the first two who ask. */
  readonly players: Partial<Record<Mark, string>>;
}

const LINES = ['012', '345', '678', '036', '147', '258', '048', '246'].map((line) => [...line].map(Number));

const game = defineStateMachine<Game>()({
  initial: () => ({ cells: Array<Mark | null>(9).fill(null), turn: 'X', winner: null, players: {} }),
  commands: {
    sit: ({ players }, { player }: { player: string }): Mark | null => {
      for (const mark of ['X', 'O'] as const) {
        players[mark] ??= player;
        if (players[mark] === player) return mark;
      }
      return null;
    },
    move: (state, { player, cell }: { player: string; cell: number }): string => {
      if (state.winner !== null) return 'the game is over';
      if (state.players[state.turn] !== player) return 'it is not your turn';
      if (state.cells[cell] !== null) return 'that cell is taken';
      state.cells[cell] = state.turn;
      if (LINES.some((line) => line.every((at) => state.cells[at] === state.turn))) state.winner = state.turn;
      else if (!state.cells.includes(null)) state.winner = 'nobody';
      state.turn = state.turn === 'X' ? 'O' : 'X';
      return 'ok';
    },
    again: (state) => {
      state.cells.fill(null);
      state.winner = null;
    },
  },
});

const room = new URLSearchParams(location.search).get('room') ?? 'game';
const node = await raft.enter(room, game);
await node.ready;
const player = node.id;
const mine = await node.propose({ type: 'sit', player });

const status = document.querySelector('output') as HTMLElement;
const grid = document.querySelector('#grid') as HTMLElement;
const say = (text: string): void => {
  status.textContent = text;
};

const buttons = Array.from({ length: 9 }, (_, cell) => {
  const button = document.createElement('button');
  button.ariaLabel = `cell ${cell}`;
  button.onclick = async () => {
    try {
      const answer = await node.propose({ type: 'move', player, cell });
      if (answer !== 'ok') say(answer);
    } catch (error) {
      say(String(error));
    }
  };
  return button;
});
for (const at of [0, 3, 6]) grid.appendChild(document.createElement('div')).append(...buttons.slice(at, at + 3));
(document.querySelector('[name=again]') as HTMLElement).onclick = () => void node.propose({ type: 'again' });

function draw({ cells, turn, winner }: Game): void {
  for (const [cell, button] of buttons.entries()) button.textContent = cells[cell] ?? '·';
  const whose = turn === mine ? 'your turn' : `${turn} is to move`;
  say(`${mine === null ? 'You watch' : `You are ${mine}`}: ${winner === null ? whose : `${winner} has won`}`);
}
draw(node.peek((state) => state));
node.subscribe((state) => state, draw);
