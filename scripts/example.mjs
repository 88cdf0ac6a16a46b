/** `npm run example NAME`: builds one of examples/ and serves it with a signaling server, on one port (PORT, default: a free one). */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { leanSimplePeer } from './lean-simple-peer.mjs';
import { site } from './site.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The package's names, as its sources: an example is tried with what is in the tree. */
export const SOURCES = [
  { find: /^tabraft\/(react|vue|svelte|solid|signals)$/, replacement: join(root, 'src/bindings/$1.ts') },
  { find: /^tabraft\/(structures|text)$/, replacement: join(root, 'src/$1/index.ts') },
  { find: /^tabraft$/, replacement: join(root, 'src/index.ts') },
];

/** Answers the folder that is to be served. */
export async function buildExample(name) {
  const source = join(root, 'examples', name);
  if (!existsSync(join(source, 'index.html'))) throw new Error(`There is no example ${name} with a page.`);
  const outDir = join(root, 'build', 'examples', name);
  await build({
    configFile: false,
    root: source,
    base: './',
    logLevel: 'warn',
    plugins: [leanSimplePeer],
    resolve: { alias: SOURCES },
    esbuild: { jsx: 'automatic' },
    worker: { format: 'es' },
    build: { outDir, emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 2_000 },
  });
  return outDir;
}

export async function serveExample(folder, port = 0) {
  const { attachSignaling } = await import('../build/server/signaling.mjs');
  const server = createServer(site(folder));
  const signaling = await attachSignaling(server);
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    close: async () => {
      await signaling.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function main() {
  const [name] = process.argv.slice(2);
  if (name === undefined) throw new Error('Which one? npm run example kv');
  await build({ configFile: join(root, 'vite.config.ts'), root, mode: 'server', logLevel: 'warn' });
  const { url } = await serveExample(await buildExample(name), Number(process.env.PORT ?? 0));
  console.log(`${name}: ${url}`);
  console.log('Open it in several tabs. Stop with Ctrl+C.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
