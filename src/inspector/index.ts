/** tabraft/inspector: `<tabraft-inspector>`, a look into a running node for any page. Importing it defines the element. */
import { TabraftInspector } from './element.ts';

export type { Operation } from '../testing/history/history.ts';
export type { Model } from '../testing/history/models.ts';
export { PANELS, type PanelName, TabraftInspector } from './element.ts';
export type { HistorySource, Inspected, Knife, Look } from './inspected.ts';

export const INSPECTOR_TAG = 'tabraft-inspector';

declare global {
  interface HTMLElementTagNameMap {
    [INSPECTOR_TAG]: TabraftInspector;
  }
}

/** Two copies of the library on one page: the first one's element stays. */
if (globalThis.customElements !== undefined && customElements.get(INSPECTOR_TAG) === undefined)
  customElements.define(INSPECTOR_TAG, TabraftInspector);
