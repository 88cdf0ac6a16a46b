// Writes test/skew/fixtures: what a cluster of an earlier build left on disk. Needs that build as a tree of its own:
//   git worktree add --detach ../old 138e393 && (cd ../old && npm ci)
//   node test/skew/generate.mjs ../old
// Three nodes in Node over LMDB, links in memory, the signaling server of that build; a snapshot, sessions, a change of members.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const tree = resolve(process.argv[2] ?? '../old');
const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
const TUNING = { electionTimeoutMs: [200, 400], heartbeatMs: 40, snapshotEveryEntries: 12, keepEntries: 4 };

/** The earlier build as one module, from its sources. */
async function load() {
  const outDir = join(tree, 'build', 'skew');
  const entry = join(outDir, 'entry.ts');
  mkdirSync(outDir, { recursive: true });
  writeFileSync(
    entry,
    "export { raft, defineStateMachine } from '../../src/node.ts';\nexport { MemoryHub } from '../../src/transport/memory.ts';\nexport { createSignalingServer } from '../../signaling/server.ts';\n",
  );
  await build({
    configFile: false,
    root: tree,
    logLevel: 'error',
    publicDir: false,
    build: { ssr: entry, outDir, emptyOutDir: false, rollupOptions: { output: { entryFileNames: 'old.mjs' } } },
  });
  return import(pathToFileURL(join(outDir, 'old.mjs')).href);
}

async function bytesOf(chunks) {
  const all = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function main() {
  const { raft, defineStateMachine, MemoryHub, createSignalingServer } = await load();
  const { WebSocket } = await import('ws');
  const machine = defineStateMachine()({
    initial: () => ({ log: [] }),
    commands: {
      note: (state, { text }) => state.log.push(text),
    },
  });
  const root = mkdtempSync(join(tmpdir(), 'tabraft-skew-'));
  const server = await createSignalingServer({ port: 0 });
  const hub = new MemoryHub();
  const nodes = [];
  for (let i = 0; i < 3; i++) {
    const node = await raft.enter('skew', machine, {
      name: `node ${i}`,
      signaling: server.url,
      connect: (url) => new WebSocket(url),
      storage: { directory: join(root, String(i)) },
      link: hub.transport(),
      tuning: TUNING,
    });
    await node.ready;
    nodes.push(node);
  }
  for (const node of nodes) await node.until(() => node.config.voters.length === 3);
  for (let i = 0; i < 20; i++) await nodes[i % 3].propose({ type: 'note', text: `note ${i}` }, { id: `once-${i}` });
  const last = nodes[0].status.commitIndex;
  for (const node of nodes) await node.waitFor(last);
  writeFileSync(join(fixtures, 'export.bin.gz'), gzipSync(await bytesOf(nodes[0].admin.export()), { level: 9 }));
  const about = { cluster: nodes[0].clusterId, nodes: nodes.map(({ id }) => id), voters: [...nodes[0].config.voters].sort() };
  await Promise.all(nodes.map((node) => node.stop({ transfer: false })));
  await server.close();
  for (const [i, id] of about.nodes.entries()) {
    const folder = join(root, String(i), 'r-skew', id);
    if (!readdirSync(folder).includes('data.mdb')) throw new Error(`${folder} holds no environment`);
    writeFileSync(join(fixtures, `${i}.mdb.gz`), gzipSync(readFileSync(join(folder, 'data.mdb')), { level: 9 }));
  }
  writeFileSync(join(fixtures, 'about.json'), `${JSON.stringify(about, undefined, 2)}\n`);
  rmSync(root, { recursive: true, force: true });
}

await main();
process.exit(0);
