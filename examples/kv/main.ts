/** A table of keys that every tab edits: put only over what one has seen, watch what the others do. */
import { RaftError, raft } from 'tabraft';
import { type KeyEntry, keySpace, watchKeys } from 'tabraft/structures';

const room = new URLSearchParams(location.search).get('room') ?? 'kv';
const node = await raft.enter(room, keySpace<string>());
await node.ready;

const [form, body, feed] = ['form', 'tbody', 'pre'].map((name) => document.querySelector(name)) as [
  HTMLFormElement,
  HTMLElement,
  HTMLElement,
];

function draw(entries: ReadonlyMap<string, KeyEntry<string>>): void {
  const rows = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  body.replaceChildren(
    ...rows.map(([key, { value, version }]) => {
      const row = document.createElement('tr');
      for (const text of [key, value, `version ${version}`]) row.insertCell().textContent = text;
      const remove = row.insertCell().appendChild(document.createElement('button'));
      remove.textContent = 'Delete';
      remove.onclick = () => void node.propose({ type: 'delete', key });
      return row;
    }),
  );
}

const entries = (state: { readonly entries: ReadonlyMap<string, KeyEntry<string>> }): ReadonlyMap<string, KeyEntry<string>> =>
  state.entries;
draw(node.peek(entries));
node.subscribe(entries, draw);

watchKeys(
  node,
  (state) => state,
  {},
  (event) => {
    const line = event.kind === 'change' ? `${event.key} = ${event.entry?.value ?? 'gone'}` : 'missed some';
    feed.textContent = `${event.revision}: ${line}\n${feed.textContent}`.slice(0, 2_000);
  },
);

form.onsubmit = async (event) => {
  event.preventDefault();
  const [key, value] = ['key', 'value'].map((name) => String(new FormData(form).get(name))) as [string, string];
  const seen = node.peek((state) => state.entries.get(key)?.modified ?? 0);
  try {
    // Only if nobody has changed it since it was looked at: compare and put are one step in the one order.
    const { succeeded } = await node.propose({
      type: 'transact',
      compare: [{ key, target: 'modified', is: '=', to: seen }],
      success: [{ put: key, value }],
    });
    if (!succeeded) feed.textContent = `${key} was changed by somebody else: look again\n${feed.textContent}`;
    else form.reset();
  } catch (error) {
    feed.textContent = `${RaftError.is(error) ? error.code : error}\n${feed.textContent}`;
  }
};
