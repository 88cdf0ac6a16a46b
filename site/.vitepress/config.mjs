/** The documentation site. Its pages are laid into build/site-pages by scripts/docs/build.mjs. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const laid = fileURLToPath(new URL('../../build/site-pages/laid.json', import.meta.url));
const { codes, entries, internals } = existsSync(laid)
  ? JSON.parse(readFileSync(laid, 'utf8'))
  : { codes: [], entries: [], internals: [] };

const page = (text, link) => ({ text, link });
const sidebar = [
  {
    text: 'Begin',
    items: [page('Start in five minutes', '/start'), page('Concepts', '/concepts'), page('Is it for me?', '/comparison')],
  },
  {
    text: 'Recipes',
    items: [
      page('No framework', '/recipes/plain'),
      page('React', '/recipes/react'),
      page('Vue', '/recipes/vue'),
      page('Svelte', '/recipes/svelte'),
      page('Solid', '/recipes/solid'),
    ],
  },
  {
    text: 'Guide',
    items: [
      page('Writing an application', '/guide/applications'),
      page('Bindings', '/guide/bindings'),
      page('Structures', '/guide/structures'),
      page('Who may come in', '/guide/trust'),
      page('Storage', '/guide/storage'),
      page('Testing', '/guide/testing'),
      page('Inspector', '/guide/inspector'),
      page('Record and replay', '/guide/recording'),
    ],
  },
  {
    text: 'When something fails',
    items: [
      page('Cookbook of failures', '/failures'),
      { text: 'Errors', link: '/errors/', collapsed: true, items: codes.map((code) => page(code, `/errors/${code}`)) },
    ],
  },
  {
    text: 'Run it',
    items: [
      page('Deployment', '/operate/deployment'),
      page('Operations', '/operate/operations'),
      page('Performance', '/operate/performance'),
    ],
  },
  {
    text: 'What is promised',
    items: [page('Guarantees', '/promises/guarantees'), page('Threats', '/promises/threats'), page('Glossary', '/glossary')],
  },
  { text: 'Reference', link: '/api/', collapsed: true, items: entries },
  { text: 'Internals', collapsed: true, items: internals },
];

export default defineConfig({
  title: 'tabraft',
  description: 'Raft for the web: browser tabs and Node processes as one strongly consistent cluster',
  srcDir: '../build/site-pages',
  outDir: '../build/site',
  cacheDir: '../build/site-cache',
  cleanUrls: true,
  lastUpdated: false,
  head: [['link', { rel: 'icon', href: '/logo.svg', type: 'image/svg+xml' }]],
  themeConfig: {
    logo: '/logo.svg',
    nav: [page('Start', '/start'), page('Guide', '/guide/applications'), page('Errors', '/errors/'), page('Reference', '/api/')],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    footer: { message: 'MIT licensed' },
  },
});
