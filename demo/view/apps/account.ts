/** An account that all tabs draw from and that cannot go below zero. */
import { h, setAttribute, setText } from '../../../src/inspector/dom.ts';
import type { AccountHistory } from '../../history.ts';
import { ACCOUNT } from '../../machine.ts';
import type { View } from '../../page.ts';
import { acting } from '../acting.ts';

const IN = 10;
const OUT = 30;

export function accountView(): View {
  const outcome = acting('account-outcome');
  let history: AccountHistory | undefined;
  const button = (text: string, run: (of: AccountHistory) => Promise<string>): HTMLButtonElement =>
    h(
      'button',
      { type: 'button', class: 'button', onclick: () => history && void outcome.act(() => run(history as AccountHistory)) },
      text,
    );
  const buttons = [
    button(`Pay ${IN} in`, async (of) => `The balance is ${await of.deposit(IN)}.`),
    button(`Take ${OUT} out`, async (of) =>
      (await of.withdraw(OUT)) ? `${OUT} taken out.` : 'There is not enough: nothing was taken.',
    ),
    button('Ask for the balance', async (of) => `Whoever asks now is told ${await of.balance()}.`),
  ];
  const balance = h('p', { class: 'balance', 'data-testid': 'balance' });
  return {
    element: h(
      'div',
      {},
      h('p', { class: 'hint' }, 'However many tabs take money at once: never below zero, and no payment is counted twice.'),
      balance,
      h('div', { class: 'bar' }, ...buttons),
      outcome.element,
    ),
    update: (page) => {
      outcome.update(page);
      history = page.history;
      setText(balance, page.shared === undefined ? '–' : String(page.shared.bank.accounts.get(ACCOUNT) ?? 0));
      for (const each of buttons) setAttribute(each, 'disabled', history === undefined || page.failure !== undefined);
    },
  };
}
