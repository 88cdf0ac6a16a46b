/** A shared list: one order for everybody. */
import { h, type Keyed, keyed, setAttribute, setText } from '../../src/inspector/dom.ts';
import { ITEM_TEXT_MAX, ITEMS_MAX, type Item } from '../machine.ts';
import type { DemoNode } from '../open.ts';
import type { View } from '../page.ts';
import { type Acting, acting } from './acting.ts';

interface Part extends Keyed<HTMLLIElement> {
  readonly box: HTMLInputElement;
  readonly text: HTMLElement;
  readonly by: HTMLElement;
}

export function listView(): View {
  const outcome = acting('list-outcome');
  const input = h('input', {
    id: 'new-item',
    type: 'text',
    maxlength: ITEM_TEXT_MAX,
    autocomplete: 'off',
    placeholder: 'Bring the projector …',
    'aria-label': 'New item',
  });
  const button = h('button', { type: 'submit', class: 'button primary' }, 'Add');
  const form = h('form', { class: 'add' }, input, button);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === '') return;
    input.value = '';
    void outcome.act((node, name) => addItem(node, name, text));
  });
  const items = h('ol', { class: 'items', 'data-testid': 'items' });
  const empty = h('p', { class: 'hint' }, 'Nothing on it yet. Every tab sees the same order.');
  const show = keyed<Item, HTMLLIElement, Part>(items, (item) => makeItem(item.id, outcome));
  return {
    element: h(
      'section',
      { class: 'card list', 'aria-labelledby': 'list-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'list-title' }, 'To do before the show')),
      form,
      items,
      empty,
      outcome.element,
    ),
    update: (page) => {
      outcome.update(page);
      const closed = page.status === undefined || page.failure !== undefined;
      setAttribute(input, 'disabled', closed);
      setAttribute(button, 'disabled', closed);
      const list = page.shared?.items ?? [];
      setAttribute(empty, 'hidden', list.length > 0);
      show(list, (item) => String(item.id), updateItem);
    },
  };
}

function makeItem(id: number, { act }: Acting): Part {
  const box = h('input', { type: 'checkbox' });
  // The box shows what the log says, not what was clicked: it turns when the write is applied.
  box.addEventListener('click', (event) => {
    event.preventDefault();
    const done = box.dataset['done'] !== 'true';
    void act((node) => checkItem(node, id, done));
  });
  const text = h('span', { class: 'text' });
  const by = h('small');
  const drop = h('button', { type: 'button', class: 'quiet', 'aria-label': 'Remove' }, '✕');
  drop.addEventListener('click', () => void act((node) => removeItem(node, id)));
  return { element: h('li', { 'data-item': id }, h('label', {}, box, text), by, drop), box, text, by };
}

function updateItem({ element, box, text, by }: Part, item: Item): void {
  box.checked = item.done;
  setAttribute(box, 'data-done', String(item.done));
  setAttribute(element, 'data-done', String(item.done));
  setText(text, item.text);
  setText(by, item.name);
}

async function addItem(node: DemoNode, name: string, text: string): Promise<string> {
  const id = await node.propose({ type: 'add', text, name });
  return id === undefined ? `The list is full: at most ${ITEMS_MAX} items.` : `Added as number ${id}.`;
}

async function checkItem(node: DemoNode, id: number, done: boolean): Promise<string> {
  const found = await node.propose({ type: 'check', id, done });
  return found ? `Item ${id} is ${done ? 'done' : 'open again'}.` : `Item ${id} is gone.`;
}

async function removeItem(node: DemoNode, id: number): Promise<string> {
  const found = await node.propose({ type: 'remove', id });
  return found ? `Item ${id} was removed.` : `Item ${id} was gone already.`;
}
