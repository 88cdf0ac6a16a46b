/**
 * The core's own suite alone: what Stryker runs for every mutant (docs/MUTANTS.md). All files share one worker, and those
 * that try many random runs come last: a mutant that another test kills never waits for them.
 */

import type { ViteUserConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import whole from '../../vitest.config.ts';

const SLOW = /log-model|paper-5-4-safety/;

class SlowestLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): boolean => SLOW.test(moduleId);
    return [...files.filter((file) => !isSlow(file)), ...files.filter(isSlow)];
  }
}

const config: ViteUserConfig = {
  ...whole,
  test: { ...whole.test, include: ['test/core/**/*.test.ts'], isolate: false, sequence: { sequencer: SlowestLast } },
};

export default config;
