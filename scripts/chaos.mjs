// npm run chaos: real tabs, each device a browser and a profile of its own, and an edge member, under load and faults.
//   npm run chaos                              8 faults of a fresh seed, within two minutes: build/chaos/report.html
//   npm run chaos -- --seed 17                 the same faults again
//   npm run chaos -- --minutes 60              as many as fit
//   npm run chaos -- --faults 30 --tabs 6      so many faults, so many tabs (3 to 12; two of them on one device)
//   npm run chaos -- --kinds frozen,killed     only these; --no-edge: tabs only; --out FOLDER
// It ends with 1 when a promise was broken, and says which.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { ensureBrowser, launchArguments } from './browser.mjs';
import { leanSimplePeer } from './lean-simple-peer.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Builds the page and the three programs of a run; where they are. */
export async function buildChaos() {
  const built = join(root, 'build', 'chaos-built');
  const common = {
    configFile: false,
    root: join(root, 'test', 'chaos'),
    logLevel: 'error',
    publicDir: false,
    plugins: [leanSimplePeer],
  };
  await build({ ...common, base: './', build: { outDir: join(built, 'page'), emptyOutDir: true, target: 'es2022' } });
  for (const name of ['main', 'edge', 'host']) {
    await build({
      ...common,
      build: {
        ssr: join(root, 'test', 'chaos', `${name}.ts`),
        outDir: built,
        emptyOutDir: false,
        target: 'node20',
        minify: false,
        rollupOptions: { output: { entryFileNames: `${name}.mjs` } },
      },
    });
  }
  return built;
}

export function commitOf() {
  return spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
}

async function run() {
  // What runs in processes of its own ends with this one, if it ends in order.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
  const built = await buildChaos();
  const { main } = await import(pathToFileURL(join(built, 'main.mjs')).href);
  const given = { built, executablePath: ensureBrowser(console.error), args: [...launchArguments], commit: commitOf() };
  return main(process.argv.slice(2), given);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  run().then(
    (code) => process.exit(code),
    (error) => {
      console.error(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS') ? error.message : error);
      process.exit(2);
    },
  );
}
