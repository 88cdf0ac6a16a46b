/** A name that only one tab can have. */
import { h, setAttribute, setText } from '../../../src/inspector/dom.ts';
import type { DemoNode } from '../../open.ts';
import type { View } from '../../page.ts';
import { acting } from '../acting.ts';

/** The structure takes longer ones; a demo need not. */
const NAME_MAX = 24;
const SHOWN_MAX = 12;

export function nameView(): View {
  const outcome = acting('name-outcome');
  const input = h('input', {
    type: 'text',
    maxlength: NAME_MAX,
    autocomplete: 'off',
    placeholder: 'ada',
    'aria-label': 'A name',
  });
  const form = h('form', { class: 'add' }, input, h('button', { type: 'submit', class: 'button primary' }, 'Claim'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name !== '') void outcome.act((node, owner) => claim(node, owner, name));
  });
  const taken = h('p', { class: 'hint', 'data-testid': 'names-taken' });
  const drop = h('button', { type: 'button', class: 'button' }, 'Give mine up');
  drop.addEventListener('click', () => void outcome.act((node, owner) => giveUp(node, owner)));
  return {
    element: h(
      'div',
      {},
      h('p', { class: 'hint' }, 'Ask for the same name from two tabs: one gets it.'),
      form,
      taken,
      drop,
      outcome.element,
    ),
    update: (page) => {
      outcome.update(page);
      const owners = [...(page.shared?.names.owners ?? [])];
      const own = page.status === undefined ? '' : page.people.nameOf(page.status.id);
      const list = owners.slice(0, SHOWN_MAX).map(([name, owner]) => `${name} (${owner})`);
      setText(
        taken,
        owners.length === 0 ? 'No name is taken.' : `Taken: ${list.join(', ')}${owners.length > SHOWN_MAX ? ' …' : ''}`,
      );
      setAttribute(drop, 'disabled', !owners.some(([, owner]) => owner === own));
    },
  };
}

async function claim(node: DemoNode, owner: string, name: string): Promise<string> {
  if (await node.propose({ type: 'names.claim', name, owner })) return `The name ${name} is yours.`;
  return `The name ${name} belongs to ${(await node.query('names.owner', name)) ?? 'another'}.`;
}

async function giveUp(node: DemoNode, owner: string): Promise<string> {
  const mine = node.peek(({ names }) => [...names.owners].filter(([, by]) => by === owner).map(([name]) => name));
  for (const name of mine) await node.propose({ type: 'names.release', name, owner });
  return mine.length === 0 ? 'No name was yours.' : `${mine.join(', ')}: free again.`;
}
