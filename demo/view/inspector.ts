/** The inspector of the library, in the demo's own colours and names; it is loaded when the page stands. */
import { h } from '../../src/inspector/dom.ts';
import type { TabraftInspector } from '../../src/inspector/index.ts';
import type { Page, View } from '../page.ts';
import { HUES } from '../room.ts';

export function inspectorView(): View {
  const element = h('div', { class: 'inspector' });
  let inspector: TabraftInspector | undefined;
  let page: Page | undefined;
  const update = (next: Page): void => {
    page = next;
    if (inspector === undefined || next.node === undefined) return;
    inspector.node = next.node;
  };
  void load().then((loaded) => {
    inspector = loaded;
    inspector.look = {
      nameOf: (id, told) => (page === undefined || told === '' ? told || id.slice(0, 4) : page.people.nameOf(id)),
      hueOf: (id, name) => HUES[name.split(' ')[0] ?? ''] ?? page?.people.hueOf(id) ?? 0,
    };
    element.append(inspector);
    if (page !== undefined) update(page);
  });
  return { element, update };
}

async function load(): Promise<TabraftInspector> {
  const { TabraftInspector: Inspector } = await import('../../src/inspector/index.ts');
  return new Inspector();
}
