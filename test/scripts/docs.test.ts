/** What the documentation site is checked with finds what it is there to find. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocksIn } from '../../scripts/docs/code.mjs';
import { brokenLinks } from '../../scripts/docs/links.mjs';
import { errorsIn } from '../../scripts/docs/pages.mjs';
import { ERROR_CODES } from '../../src/core/errors.ts';

test('a link to a page or a place that is not there is found, and only that', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tabraft-links-'));
  try {
    mkdirSync(join(folder, 'guide'));
    writeFileSync(join(folder, 'index.html'), '<a class="x" href="/guide/one#here">ok</a><a href="/guide/two">no</a>');
    writeFileSync(
      join(folder, 'guide', 'one.html'),
      '<h2 id="here">x</h2><a href="../">ok</a><a href="#there">no</a><a href="https://example.org/nowhere">not ours</a><img alt="" src="/none.svg">',
    );
    const { broken, links, pages } = brokenLinks(folder);
    expect({ links, pages }).toEqual({ links: 5, pages: 2 });
    expect(broken).toEqual([
      'guide/one.html: #there leads to no place on the page',
      'guide/one.html: /none.svg leads to no page',
      'index.html: /guide/two leads to no page',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a code block brings what it takes for granted, may go on, or says why it is not checked', () => {
  const text = [
    '<!-- code: declare const a: number; -->\n\n```ts\nconsole.log(a);\n```',
    'Words.\n\n<!-- code: continues -->\n\n```ts [main.ts]\nconsole.log(a + 1);\n```',
    '```tsx\nexport const b = <p />;\n```',
    '<!-- code: not checked, it is a sketch -->\n\n```ts\nnonsense(\n```',
    '```sh\nnpm start\n```',
  ].join('\n\n');
  const blocks = blocksIn('page.md', text);
  expect(blocks.map(({ kind, line, code }) => ({ kind, line, code }))).toEqual([
    { kind: 'ts', line: 1, code: 'declare const a: number;\nconsole.log(a);\nconsole.log(a + 1);\n' },
    { kind: 'tsx', line: 15, code: '\nexport const b = <p />;\n' },
  ]);
  expect(() => blocksIn('page.md', '<!-- code: continues -->\n\n```ts\n1;\n```')).toThrow('page.md:1 continues nothing');
});

test('every error code gets a page of the site, with what docs/ERRORS.md says of it', () => {
  const errors = errorsIn(readFileSync('docs/ERRORS.md', 'utf8'));
  expect(errors.map(({ code }) => code).sort()).toEqual(Object.keys(ERROR_CODES).sort());
  for (const { code, text } of errors) expect(text.length, code).toBeGreaterThan(20);
});
