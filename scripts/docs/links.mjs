/** Looks at every link of the built site that leads inside it: the page is there, and so is the place on it. Links to elsewhere are not asked. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { builtPath } from './pages.mjs';

const unescaped = (text) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"');

/** Answers a sentence for each link that leads nowhere, and how many were looked at. */
export function brokenLinks(folder) {
  const html = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.html'))
    .sort();
  const anchors = new Map();
  const anchorsOf = (path) => {
    let found = anchors.get(path);
    if (found === undefined) {
      found = new Set([...readFileSync(path, 'utf8').matchAll(/\sid="([^"]*)"/g)].map(([, id]) => unescaped(id)));
      anchors.set(path, found);
    }
    return found;
  };
  const broken = new Set();
  let links = 0;
  for (const name of html) {
    const here = `/${name.split(sep).join('/')}`;
    const text = readFileSync(join(folder, name), 'utf8');
    for (const [, , given] of text.matchAll(/<(a|img|link|script)\s[^>]*?(?:href|src)="([^"]*)"/g)) {
      const url = new URL(unescaped(given), `https://site.invalid${here}`);
      if (url.host !== 'site.invalid') continue;
      links += 1;
      const path = builtPath(folder, url.pathname);
      const where = `${relative(folder, join(folder, name))}: ${given}`;
      if (!existsSync(path)) broken.add(`${where} leads to no page`);
      else if (url.hash.length > 1 && path.endsWith('.html') && !anchorsOf(path).has(decodeURIComponent(url.hash.slice(1))))
        broken.add(`${where} leads to no place on the page`);
    }
  }
  return { broken: [...broken], links, pages: html.length };
}
