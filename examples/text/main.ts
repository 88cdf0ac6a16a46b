/** Text that several tabs write at once: Yjs merges what is typed, the log keeps it. */
import { raft } from 'tabraft';
import { shareDoc, sharedText } from 'tabraft/text';
import { Doc } from 'yjs';

const room = new URLSearchParams(location.search).get('room') ?? 'text';
const node = await raft.enter(room, sharedText());
await node.ready;

const area = document.querySelector('textarea') as HTMLTextAreaElement;
const status = document.querySelector('output') as HTMLElement;
const doc = new Doc();
const text = doc.getText('body');
const link = shareDoc(node, doc, {
  select: (state) => state,
  onError: (error) => {
    status.textContent = `Not saved: ${error}`;
  },
});

/** What is different between two texts: one place, as far as an input event goes. */
function difference(before: string, after: string): { readonly at: number; readonly removed: number; readonly added: string } {
  let at = 0;
  while (at < before.length && at < after.length && before[at] === after[at]) at += 1;
  let end = 0;
  while (end < before.length - at && end < after.length - at && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return { at, removed: before.length - at - end, added: after.slice(at, after.length - end) };
}

area.oninput = async () => {
  const { at, removed, added } = difference(text.toString(), area.value);
  doc.transact(() => {
    text.delete(at, removed);
    text.insert(at, added);
  });
  status.textContent = 'Saving';
  await link.saved().then(
    () => {
      status.textContent = 'Saved';
    },
    () => undefined,
  );
};

text.observe(({ transaction }) => {
  if (transaction.local && transaction.origin === null) return;
  const { at, removed, added } = difference(area.value, text.toString());
  // The caret stays with the words it stood in.
  const [start, end] = [area.selectionStart, area.selectionEnd].map((caret) =>
    caret <= at ? caret : Math.max(at, caret + added.length - removed),
  ) as [number, number];
  area.value = text.toString();
  area.setSelectionRange(start, end);
});

area.value = text.toString();
area.disabled = false;
status.textContent = 'Saved';
