/** What people do with tabs, and that a room lives through it. */
import { describe, expect, test } from 'vitest';
import { simulate } from '../../src/testing/sim/simulate.ts';
import { TAB_LIVES, tabLifePlan, watchLiveness } from '../../src/testing/sim/tab-life.ts';

/** Of each life. TAB_LIFE_SEEDS says how many to try by hand. */
const SEEDS = Array.from({ length: Number(process.env['TAB_LIFE_SEEDS'] ?? 1) }, (_, i) => String(i + 1));

describe('I42: while the tabs that are alive could form a quorum, writes go on within ten election timeouts', () => {
  test.each(TAB_LIVES)(
    '%s',
    async (life) => {
      for (const seed of SEEDS) {
        const report = await simulate(tabLifePlan(life, seed), { onCluster: watchLiveness(life) });
        expect(report.violations, `${life} ${seed}`).toEqual([]);
        expect(report.void, `${life} ${seed}`).toBeUndefined();
        expect(report.evaluated.get('I42')).toBeGreaterThan(300);
      }
    },
    600_000,
  );
});
