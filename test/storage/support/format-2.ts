/** What the fixtures of format 2 hold: databases that 138e393 wrote. */
import type { Entry } from '../../../src/core/types.ts';
import { entriesOf, metaAt } from '../../../src/testing/storage-suite/context.ts';

export const FORMAT_2_STATE = {
  cluster: { clusterId: 'cluster-1', epoch: 1 },
  hardState: { term: 3, vote: 'other', commit: 9 },
  snapshot: metaAt(6, 1),
  firstIndex: 5,
  lastIndex: 14,
} as const;

export const FORMAT_2_ENTRIES: readonly Entry[] = [
  ...entriesOf(5, 6, 1),
  ...entriesOf(7, 7, 1, 3500),
  ...entriesOf(8, 9, 1),
  ...entriesOf(10, 14, 3),
];
/** Of the LMDB fixture. */
export const FORMAT_2_NODE = '4dszvfmajz2peyf9';
