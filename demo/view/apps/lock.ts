/** A lock with a fencing token, and the thing it guards: a holder that slept too long is refused there. */
import { h, setAttribute, setText } from '../../../src/inspector/dom.ts';
import { LOCK } from '../../machine.ts';
import type { DemoNode } from '../../open.ts';
import type { Page, View } from '../../page.ts';
import { acting } from '../acting.ts';

/** How long a lease lasts, in ms of log time: short enough to see it end. */
const LEASE_MS = 10_000;

export function lockView(): View {
  const outcome = acting('lock-outcome');
  /** What this tab last got: kept when it is over, to show that the printer knows. */
  let token: number | undefined;
  const ask = async (node: DemoNode, owner: string): Promise<string> => {
    const got = await node.propose({ type: 'lock.acquire', name: LOCK, owner, ttlMs: LEASE_MS });
    if (got === undefined) return 'The lock is held. Ask again when its time is over.';
    token = got.token;
    return `The lock is yours for ${LEASE_MS / 1_000} seconds, with token ${got.token}.`;
  };
  const use = async (node: DemoNode, name: string): Promise<string> => {
    const result = await node.propose({ type: 'print', token: token ?? 0, name });
    return result.ok ? `Printed: page ${result.writes}.` : `Refused: the printer has seen token ${result.newest} already.`;
  };
  const giveBack = async (node: DemoNode): Promise<string> =>
    (await node.propose({ type: 'lock.release', name: LOCK, token: token ?? 0 })) ? 'Given back.' : 'It was over already.';
  const acquire = h(
    'button',
    { type: 'button', class: 'button primary', onclick: () => void outcome.act(ask) },
    'Ask for the lock',
  );
  const print = h('button', { type: 'button', class: 'button', onclick: () => void outcome.act(use) }, 'Print with my token');
  const release = h('button', { type: 'button', class: 'button', onclick: () => void outcome.act(giveBack) }, 'Give it back');
  const holder = h('p', { 'data-testid': 'lock-holder' });
  return {
    element: h(
      'div',
      {},
      h(
        'p',
        { class: 'hint' },
        'Every lock has a number, larger than all before. The printer takes no smaller one than it has seen.',
      ),
      holder,
      h('div', { class: 'bar' }, acquire, print, release),
      outcome.element,
    ),
    update: (page) => {
      outcome.update(page);
      setText(holder, holderOf(page));
      setAttribute(print, 'disabled', token === undefined);
      setAttribute(release, 'disabled', token === undefined);
    },
  };
}

/** The lease's end is log time, which this page's clock may differ from: it is told as it was asked for. */
function holderOf({ shared }: Page): string {
  const lease = shared?.lock.held.get(LOCK);
  const printed = shared?.guarded.writes ?? 0;
  const pages = `${printed} ${printed === 1 ? 'page' : 'pages'} printed`;
  if (lease === undefined) return `Nobody holds the lock; ${pages}.`;
  return `Token ${lease.token} went to ${lease.owner}; ${pages}, the last with token ${shared?.guarded.token ?? 0}.`;
}
