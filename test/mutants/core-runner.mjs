/**
 * Runs the core's suite for Stryker in the process that asks: a mutant costs milliseconds rather than a worker of its own.
 * The suite is bundled once, and evaluated anew for every mutant, so that nothing of one mutant is left for the next.
 * All of it is synchronous; what the core's tests use of vitest is `describe`, `test`, `test.each` and vitest's `expect`.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import { build } from 'vite';

const SUITE = 'test/core';
/** Many random runs each: they come last, so that a mutant that another test kills never waits for them. */
const SLOW = /model\.test|paper-5-4-safety/;
const PASSED = 0;
const FAILED = 1;

class CoreRunner {
  #evaluate = undefined;
  #expect = undefined;
  #require = createRequire(resolve('package.json'));

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    this.#expect = await expectOfVitest();
    // The same cases for every mutant, and no search for a smaller one.
    this.#require('fast-check').configureGlobal({ seed: 1, endOnFailure: true });
    this.#evaluate = compileFunction(await bundle(), ['require', 'module', 'exports', 'suite']);
  }

  /** What the instrumented sources look at. */
  get #stryker() {
    globalThis.__stryker__ ??= {};
    return globalThis.__stryker__;
  }

  dryRun() {
    const stryker = this.#stryker;
    stryker.activeMutant = undefined;
    stryker.mutantCoverage = { static: {}, perTest: {} };
    const tests = [];
    for (const test of this.#collect()) {
      stryker.currentTestId = test.id;
      const start = performance.now();
      const failure = failureOf(test);
      stryker.currentTestId = undefined;
      const result = { id: test.id, name: test.name, fileName: resolve(test.file), timeSpentMs: performance.now() - start };
      tests.push(failure === undefined ? { ...result, status: PASSED } : { ...result, status: FAILED, failureMessage: failure });
    }
    return { status: 'complete', tests, mutantCoverage: stryker.mutantCoverage };
  }

  mutantRun({ activeMutant, mutantActivation, testFilter, hitLimit }) {
    const stryker = this.#stryker;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    stryker.hitLimit = hitLimit;
    stryker.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
    const chosen = testFilter === undefined ? undefined : new Set(testFilter);
    let nrOfTests = 0;
    let tests;
    try {
      tests = this.#collect();
    } catch (error) {
      return { status: 'killed', killedBy: [], failureMessage: String(error), nrOfTests };
    }
    stryker.activeMutant = activeMutant.id;
    for (const test of tests) {
      if (chosen !== undefined && !chosen.has(test.id)) continue;
      nrOfTests++;
      const failureMessage = failureOf(test);
      if (hitLimit !== undefined && stryker.hitCount > hitLimit) return { status: 'timeout', reason: 'hit limit' };
      if (failureMessage !== undefined) return { status: 'killed', killedBy: [test.id], failureMessage, nrOfTests };
    }
    return { status: 'survived', nrOfTests };
  }

  /** Evaluates the suite: every test there is, the slow ones last. */
  #collect() {
    const suite = new Suite(this.#expect);
    const module = { exports: {} };
    const load = (id) => (id === 'vitest' ? suite.vitest : this.#require(id));
    this.#evaluate(load, module, module.exports, suite);
    const isSlow = ({ file }) => SLOW.test(file);
    return [...suite.tests.filter((test) => !isSlow(test)), ...suite.tests.filter(isSlow)];
  }
}

class Suite {
  tests = [];
  /** Set by each test file before it registers anything. */
  file = '';
  #names = [];

  constructor(expect) {
    const test = (name, run) => this.#add(name, run);
    test.each = (cases) => (name, run) => {
      for (const [i, one] of cases.entries()) {
        this.#add(`${name} (${i + 1})`, () => (Array.isArray(one) ? run(...one) : run(one)));
      }
    };
    const describe = (name, body) => {
      this.#names.push(name);
      body();
      this.#names.pop();
    };
    this.vitest = { describe, test, expect };
  }

  #add(name, run) {
    const whole = [...this.#names, name].join(' > ');
    this.tests.push({ id: `${this.file}#${whole}`, name: whole, file: this.file, run });
  }
}

/** What it failed with; undefined when it passed. */
function failureOf({ run }) {
  try {
    if (run() instanceof Promise) return 'a test of the core is not synchronous';
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** vitest's own matchers. They ask where they run; nothing here needs more of an answer than this. */
async function expectOfVitest() {
  globalThis.__vitest_worker__ = { config: { expect: {}, chaiConfig: {} }, environment: { name: 'node' }, ctx: {} };
  const { expect } = await import('vitest');
  return expect;
}

/** All test files as one script. Each says its name first. */
async function bundle() {
  const outDir = `build/core-suite-${process.pid}`;
  const files = readdirSync(SUITE).filter((name) => name.endsWith('.test.ts'));
  const entry = '\0suite';
  const plugin = {
    name: 'core-suite',
    resolveId: (id) => (id === entry ? entry : undefined),
    load: (id) => (id === entry ? files.map((name) => `import ${JSON.stringify(resolve(SUITE, name))};`).join('\n') : undefined),
    transform(code, id) {
      if (!id.endsWith('.test.ts')) return undefined;
      const here = code.replaceAll('import.meta.dirname', JSON.stringify(dirname(id)));
      return { code: `suite.file = ${JSON.stringify(relative('.', id))};\n${here}`, map: null };
    },
  };
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [plugin],
    build: {
      ssr: true,
      outDir,
      minify: false,
      target: 'node20',
      rollupOptions: {
        input: { suite: entry },
        external: ['vitest', 'fast-check', /^node:/],
        treeshake: false,
        output: { format: 'cjs', entryFileNames: 'suite.cjs' },
      },
    },
  });
  const code = readFileSync(join(outDir, 'suite.cjs'), 'utf8');
  rmSync(outDir, { recursive: true });
  return code;
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'core', injectableClass: CoreRunner }];
