/**
 * `npm run site`: the documentation site, in build/site. Its code blocks compile against the package's types, its links lead somewhere, or
 * it fails. Needs the build's types (`npm run build`). `npm run site -- --serve` shows it afterwards.
 */
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { entriesOf } from '../api/surface.mjs';
import { checkCode } from './code.mjs';
import { brokenLinks } from './links.mjs';
import { layPages } from './pages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const pages = join(root, 'build', 'site-pages');
const built = join(root, 'build', 'site');
/** The last lines of a long complaint help nobody. */
const TOLD_MAX = 40;

function refuse(what, lines) {
  console.error(
    `${what}:\n${lines
      .slice(0, TOLD_MAX)
      .map((line) => `  ${line}`)
      .join('\n')}`,
  );
  process.exitCode = 1;
}

const { ERROR_CODES } = await import('../../dist/core.js');
const { codes, entries } = layPages(root, pages, ERROR_CODES);
const { blocks, errors } = checkCode(root, join(root, 'build', 'site-code'), entriesOf(root));
if (errors.length > 0) refuse('Code blocks that do not compile', errors);
await build(join(root, 'site'));
const { broken, links, pages: count } = brokenLinks(built);
if (broken.length > 0) refuse('Links that lead nowhere', broken);
if (process.exitCode !== 1)
  console.log(
    `build/site: ${count} pages (${codes.length} of errors, ${entries.length} of reference), ${links} links, ${blocks} code blocks.`,
  );

if (process.argv.includes('--serve')) {
  const { site } = await import('../site.mjs');
  const server = createServer((request, response) => {
    // Pages have addresses without an ending.
    if (/\/[\w-]+$/.test(request.url)) request.url += '.html';
    site(built)(request, response);
  });
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`http://localhost:${server.address().port}/`));
}
