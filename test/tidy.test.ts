/** The rules of the house, as a test: arrows between rooms, purity of the core, sizes, words. */
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../src/core/errors.ts';
import {
  ARROWS,
  CORE_FLOORS,
  coreFloorOf,
  IMPORTERS,
  NODE_FOLDERS,
  NODE_ROOMS,
  RUNTIME_ARROWS,
  roomOf,
  runtimeRoomOf,
} from './tidy/rooms.ts';
import { codeOf, filesIn, importsOf, packageOf, ROOT, type SourceFile } from './tidy/scan.ts';

const house = filesIn(['src', 'signaling', 'demo'], /\.ts$/);
const src = house.filter(({ path }) => path.startsWith('src/'));

function violationsOf(files: readonly SourceFile[], allowed: (file: SourceFile, imported: string) => boolean): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter((imported) => !allowed(file, imported))
      .map((imported) => `${file.path} imports ${imported}`),
  );
}

function arrowAllowed({ path }: SourceFile, imported: string): boolean {
  if (packageOf(imported) !== undefined || !imported.endsWith('.ts')) return true;
  const from = roomOf(path);
  const to = roomOf(imported);
  return from === to || (ARROWS[from] ?? []).some((allowed) => allowed === to || allowed === imported);
}

function runtimeArrowAllowed({ path }: SourceFile, imported: string): boolean {
  const from = runtimeRoomOf(path);
  const to = runtimeRoomOf(imported);
  return from === undefined || to === undefined || from === to || (RUNTIME_ARROWS[from] ?? []).includes(to);
}

function coreArrowAllowed({ path }: SourceFile, imported: string): boolean {
  const from = coreFloorOf(path);
  const to = coreFloorOf(imported);
  return from === undefined || to === undefined || to <= from;
}

function packageAllowed({ path }: SourceFile, imported: string): boolean {
  const name = packageOf(imported);
  if (name === undefined) return true;
  if (isBuiltin(imported)) return NODE_ROOMS.has(roomOf(path)) || NODE_FOLDERS.some((folder) => path.startsWith(folder));
  return path.startsWith(IMPORTERS[name] ?? 'nowhere');
}

describe('arrows', () => {
  test('every room is in the plan', () => {
    expect([...new Set(house.map(({ path }) => roomOf(path)))].filter((room) => ARROWS[room] === undefined)).toEqual([]);
  });

  test('a room imports only what the plan allows', () => {
    expect(violationsOf(house, arrowAllowed)).toEqual([]);
  });

  test('no cycle between rooms', () => {
    const graph = new Map<string, Set<string>>();
    for (const file of house) {
      for (const imported of importsOf(file).filter((name) => packageOf(name) === undefined)) {
        const room = roomOf(file.path);
        if (roomOf(imported) !== room) graph.set(room, (graph.get(room) ?? new Set()).add(roomOf(imported)));
      }
    }
    expect(cycleIn(graph)).toBeUndefined();
  });

  test('every file of the runtime stands in one of its rooms, and imports only from the floors below', () => {
    const runtime = src.filter(({ path }) => path.startsWith('src/runtime/'));
    expect(runtime.filter(({ path }) => RUNTIME_ARROWS[runtimeRoomOf(path) ?? ''] === undefined).map(({ path }) => path)).toEqual(
      [],
    );
    expect(violationsOf(runtime, runtimeArrowAllowed)).toEqual([]);
    const bad = [
      { path: 'src/runtime/client/a.ts', text: "import type { x } from '../watch/b.ts';" },
      { path: 'src/runtime/ports/a.ts', text: "import type { x } from '../api/api.ts';" },
    ];
    expect(violationsOf(bad, runtimeArrowAllowed)).toHaveLength(2);
  });

  test('every file of the core stands on one of its floors, and imports nothing from above', () => {
    const core = src.filter(({ path }) => path.startsWith('src/core/'));
    expect(core.filter(({ path }) => coreFloorOf(path) === undefined).map(({ path }) => path)).toEqual([]);
    const named = CORE_FLOORS.flatMap(([, ...names]) => names);
    expect(named.filter((name) => !core.some(({ path }) => path.startsWith(`src/core/${name}`)))).toEqual([]);
    expect(violationsOf(core, coreArrowAllowed)).toEqual([]);
    const bad = [
      { path: 'src/core/protocol/replicate.ts', text: "import type { x } from './election.ts';" },
      { path: 'src/core/quorum/a.ts', text: "import { x } from '../state.ts';" },
    ];
    expect(violationsOf(bad, coreArrowAllowed)).toHaveLength(2);
  });

  test('no circle of files anywhere, types included', () => {
    const graph = new Map(
      house.map((file) => [file.path, new Set(importsOf(file).filter((name) => packageOf(name) === undefined))]),
    );
    expect(cycleIn(graph)).toBeUndefined();
  });

  test('one importer for each package, and node: only where there is Node', () => {
    expect(violationsOf(house, packageAllowed)).toEqual([]);
    for (const name of Object.keys(IMPORTERS)) {
      const importers = house.filter((file) => importsOf(file).some((imported) => packageOf(imported) === name));
      expect(importers.length, `${name} is imported by ${importers.map(({ path }) => path).join(', ')}`).toBeLessThanOrEqual(1);
    }
  });

  test('the scanner sees what it should refuse', () => {
    const file = (path: string, text: string): SourceFile => ({ path, text });
    const bad = [
      file('src/core/a.ts', "import { x } from '../wire/codec.ts';"),
      file('src/runtime/a.ts', "import type { x } from '../storage/memory.ts';"),
      file('demo/a.ts', "export * from '../src/core/types.ts';"),
      file('src/state/a.ts', "const x = await import('../runtime/loop.ts');"),
    ];
    expect(violationsOf(bad, arrowAllowed)).toHaveLength(bad.length);
    const packages = [
      file('src/wire/a.ts', "import {\n  pack,\n} from 'msgpackr';"),
      file('src/core/a.ts', "import fs from 'node:fs';"),
    ];
    expect(violationsOf(packages, packageAllowed)).toHaveLength(2);
    expect(
      cycleIn(
        new Map([
          ['a', new Set(['b'])],
          ['b', new Set(['a'])],
        ]),
      ),
    ).toEqual(['a', 'b', 'a']);
  });
});

function cycleIn(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (room: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
    if (done.has(room)) return undefined;
    for (const next of graph.get(room) ?? []) {
      const cycle = visit(next, [...path, room]);
      if (cycle) return cycle;
    }
    done.add(room);
    return undefined;
  };
  for (const room of graph.keys()) {
    const cycle = visit(room, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Whole words of code, not properties of something else (`entry.document` is fine). */
function uses(files: readonly SourceFile[], words: readonly string[]): string[] {
  const pattern = new RegExp(`(?<![.\\w$])(?:${words.join('|')})(?![\\w$]|\\??:)`, 'g');
  return files.flatMap(({ path, text }) =>
    codeOf(text)
      .split('\n')
      .flatMap((line, i) => [...line.matchAll(pattern)].map((match) => `${path}:${i + 1} uses ${match[0]}`)),
  );
}

const PAGE = ['window', 'document', 'localStorage', 'sessionStorage', 'HTMLElement', 'requestAnimationFrame'];
const OUTSIDE = ['Date', 'Math\\.random', 'Promise', 'async', 'await', 'setTimeout', 'setInterval', 'queueMicrotask'].concat([
  'navigator',
  'performance',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'process',
  'indexedDB',
  'WebSocket',
]);

describe('purity', () => {
  test('the core has no clock, no randomness, no promises, no page', () => {
    expect(
      uses(
        src.filter(({ path }) => roomOf(path) === 'core'),
        [...OUTSIDE, ...PAGE],
      ),
    ).toEqual([]);
  });

  test('nothing that must be able to live in a worker touches the page', () => {
    const rooms = ['core', 'codec', 'wire', 'storage', 'state', 'runtime'];
    expect(
      uses(
        src.filter(({ path }) => rooms.includes(roomOf(path))),
        PAGE,
      ),
    ).toEqual([]);
  });

  test('the scanner tells code from words', () => {
    const text = [
      '// a window of entries',
      "const text = 'document'; /* Date */ const re = /Promise/;",
      'const a = x.window; const b = { document: 1 };',
      'const t = `now $' + '{Date.now()} window`;',
      'await thing(); // async',
    ].join('\n');
    expect(uses([{ path: 'a.ts', text }], [...OUTSIDE, ...PAGE])).toEqual(['a.ts:4 uses Date', 'a.ts:5 uses await']);
  });
});

describe('sizes and strictness', () => {
  const SOURCE_LINES_MAX = 400;

  test(`no source file above ${SOURCE_LINES_MAX} lines`, () => {
    const sources = [...house, ...filesIn(['scripts', 'demo'], /\.(?:mjs|css|html)$/)];
    expect(sources.filter(({ text }) => text.split('\n').length > SOURCE_LINES_MAX).map(({ path }) => path)).toEqual([]);
  });

  test('no function above 70 lines, no any, no non-null, no default export: the linter is told so', () => {
    const biome = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8')) as BiomeFile;
    expect(biome.linter.rules).toMatchObject({
      suspicious: { noExplicitAny: 'error', noImportCycles: 'error' },
      style: { noNonNullAssertion: 'error', noDefaultExport: 'error' },
    });
    const sized = biome.overrides.find(({ linter }) => linter.rules.complexity?.noExcessiveLinesPerFunction !== undefined);
    expect(sized?.linter.rules.complexity?.noExcessiveLinesPerFunction).toEqual({ level: 'error', options: { maxLines: 70 } });
    expect(sized?.includes).toEqual(expect.arrayContaining(['src/**', 'signaling/**', 'demo/**']));
  });

  test('nothing silences the compiler, and the linter only where a type must infer any', () => {
    const silenced = house.flatMap(({ path, text }) =>
      (text.match(/@ts-(?:ignore|nocheck|expect-error)/g) ?? []).map((m) => `${path}: ${m}`),
    );
    expect(silenced).toEqual([]);
    const ignored = house.flatMap(({ path, text }) =>
      [...text.matchAll(/biome-ignore[\w-]* ([\w/]+)/g)].map((m) => `${path}: ${m[1]}`),
    );
    expect(
      ignored.filter(
        (line) => !/^src\/(?:state|runtime\/(?:node|guest))\/[\w-]+\.ts: lint\/suspicious\/noExplicitAny$/.test(line),
      ),
    ).toEqual([]);
  });
});

interface BiomeFile {
  readonly linter: { readonly rules: object };
  readonly overrides: readonly {
    readonly includes: readonly string[];
    readonly linter: { readonly rules: { readonly complexity?: { readonly noExcessiveLinesPerFunction?: object } } };
  }[];
}

test('the lock names every optional package, or npm ci refuses it (npm run lock)', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile;
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
    ),
  );
  expect(missing).toEqual([]);
});

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

describe('documents', () => {
  const documents = [
    ...filesIn(['docs'], /\.md$/),
    ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].flatMap(atRoot),
  ];

  test('docs/ERRORS.md has a heading for every code, and no other', () => {
    const errors = documents.find(({ path }) => path === 'docs/ERRORS.md')?.text ?? '';
    const headings = [...errors.matchAll(/^### `([^`]+)`$/gm)].map((match) => match[1]);
    expect(headings.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  test('every relative link leads somewhere', () => {
    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path} links to ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('the repository speaks of the product, not of the machine it was written on', () => {
    const everything = [...house, ...documents, ...filesIn(['test', 'bench', 'scripts', 'examples'], /\.(?:ts|mjs|md)$/)];
    const path = /(?<![\w.])\/(?:work|root|home|Users)\/|\bshared\/design\b/;
    const found = everything.flatMap((file) => (path.exec(file.text) ?? []).map((match) => `${file.path} says ${match}`));
    expect(found).toEqual([]);
  });
});

function atRoot(path: string): SourceFile[] {
  return existsSync(join(ROOT, path)) ? [{ path, text: readFileSync(join(ROOT, path), 'utf8') }] : [];
}
