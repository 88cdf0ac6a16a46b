/** A lock with a fencing token that one tab holds at a time, and a task that only the leader runs. */
import { defineStateMachine, raft } from 'tabraft';
import { compose, locks, use } from 'tabraft/structures';

const journal = defineStateMachine<{ readonly lines: string[] }>()({
  initial: () => ({ lines: [] }),
  commands: {
    note: ({ lines }, { text }: { text: string }, { now }) => {
      lines.push(`${new Date(now).toISOString().slice(11, 19)} ${text}`);
      if (lines.length > 20) lines.shift();
    },
  },
});
const machine = compose({ locks: locks(), journal });

const TTL_MS = 5_000;
const room = new URLSearchParams(location.search).get('room') ?? 'lock';
const node = await raft.enter(room, machine);
await node.ready;
const lock = use(node, machine, 'locks');
const log = use(node, machine, 'journal');
const me = node.id.slice(0, 6);

const button = document.querySelector('button') as HTMLButtonElement;
const output = document.querySelector('output') as HTMLOutputElement;
const list = document.querySelector('ol') as HTMLElement;

/** What is held, and the timer that keeps it: a tab that freezes loses it after TTL_MS, and learns so from `renew`. */
let held: { readonly token: number; readonly timer: ReturnType<typeof setInterval> } | undefined;

function letGo(): void {
  clearInterval(held?.timer);
  held = undefined;
  button.textContent = 'Take the lock';
}

button.onclick = async () => {
  try {
    if (held !== undefined) {
      const { token } = held;
      letGo();
      await lock.release({ name: 'printer', token });
      await log.note({ text: `${me} gave the lock back` });
      return;
    }
    const lease = await lock.acquire({ name: 'printer', owner: me, ttlMs: TTL_MS });
    if (lease === undefined) {
      output.textContent = 'somebody else has it';
      return;
    }
    const renew = async (): Promise<void> => {
      const kept = await lock.renew({ name: 'printer', token: lease.token, ttlMs: TTL_MS }).catch(() => undefined);
      if (kept === undefined) letGo();
    };
    held = { token: lease.token, timer: setInterval(() => void renew(), TTL_MS / 3) };
    button.textContent = 'Give it back';
    // Whatever the lock guards gets the token, and refuses every smaller one.
    await log.note({ text: `${me} has the lock, token ${lease.token}` });
  } catch (error) {
    output.textContent = String(error);
  }
};

// Of all tabs one does this, another one when that has gone; the signal aborts when leadership ends.
node.whileLeader(async ({ signal }) => {
  await log.note({ text: `${me} leads and does the work` });
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
});

node.subscribe(
  (state) => state.locks.held.get('printer')?.owner ?? 'nobody',
  (owner) => show(owner),
);
node.subscribe(
  (state) => state.journal.lines,
  (lines) => draw(lines),
);
const show = (owner: string): void => {
  output.textContent = `held by ${owner === me ? 'you' : owner}`;
};
const draw = (lines: readonly string[]): void =>
  list.replaceChildren(
    ...lines.map((line) => {
      const item = document.createElement('li');
      item.textContent = line;
      return item;
    }),
  );
show(node.peek((state) => state.locks.held.get('printer')?.owner ?? 'nobody'));
draw(node.peek((state) => state.journal.lines));
