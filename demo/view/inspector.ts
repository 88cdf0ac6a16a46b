/** The inspector of the library, in the demo's own colours and names; it is loaded when the page stands. */
import { h } from '../../src/inspector/dom.ts';
import type { HistorySource, Model, TabraftInspector } from '../../src/inspector/index.ts';
import { type AccountHistory, accountModel } from '../history.ts';
import type { Page, View } from '../page.ts';
import { HUES } from '../room.ts';

export function inspectorView(panels: string): View {
  const element = h('div', { class: 'inspector', 'data-panels': panels });
  let inspector: TabraftInspector | undefined;
  let page: Page | undefined;
  const update = (next: Page): void => {
    page = next;
    if (inspector === undefined || next.node === undefined) return;
    inspector.node = next.node;
    if (next.saboteur !== undefined && inspector.knife === undefined) inspector.knife = next.saboteur.knife;
    if (next.history !== undefined && inspector.history === undefined) inspector.history = sourceOf(next.history);
  };
  void load().then((loaded) => {
    inspector = loaded;
    inspector.setAttribute('panels', panels);
    inspector.look = {
      nameOf: (id, told) => (page === undefined || told === '' ? told || id.slice(0, 4) : page.people.nameOf(id)),
      hueOf: (id, name) => HUES[name.split(' ')[0] ?? ''] ?? page?.people.hueOf(id) ?? 0,
    };
    element.append(inspector);
    if (page !== undefined) update(page);
  });
  return { element, update };
}

function sourceOf(history: AccountHistory): HistorySource {
  const what = 'payments, withdrawals and readings of the shared account';
  return { what, operations: () => history.operations(), modelOf: () => accountModel as Model<unknown> };
}

async function load(): Promise<TabraftInspector> {
  const { TabraftInspector: Inspector } = await import('../../src/inspector/index.ts');
  return new Inspector();
}
