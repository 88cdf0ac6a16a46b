// npm run bench:recovery: how long writes stop when tabs go, sleep and come in crowds; medians of ten, in real tabs.
//   npm run bench:recovery -- --only 'leader closed,visitors' --rounds 3
// What is measured is in scenes.ts; build/recovery/recovery.json has each figure.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import { buildChaos } from '../../scripts/chaos.mjs';

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
const built = await buildChaos();
await build({
  configFile: false,
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'error',
  publicDir: false,
  build: {
    ssr: fileURLToPath(new URL('main.ts', import.meta.url)),
    outDir: built,
    emptyOutDir: false,
    target: 'node20',
    minify: false,
    rollupOptions: { output: { entryFileNames: 'recovery.mjs' } },
  },
});
const { main } = await import(pathToFileURL(join(built, 'recovery.mjs')).href);
try {
  process.exit(
    await main(process.argv.slice(2), { built, executablePath: ensureBrowser(console.error), args: [...launchArguments] }),
  );
} catch (error) {
  console.error(error instanceof RangeError ? error.message : error);
  process.exit(2);
}
