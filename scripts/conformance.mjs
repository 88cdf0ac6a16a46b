// Replays another implementation's transcripts and tables against the core, where they are: they are not ours to keep here.
//   npm run conformance                        a folder with transcripts and their harness, if it is there
//   npm run conformance -- path/to/etcd-raft   the tables of a checkout of etcd-io/raft; fails when there are none
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { replayCheckout } from './conformance-checkout.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [checkout] = process.argv.slice(2);
if (checkout !== undefined) {
  run('building', ['npm', 'run', '--silent', 'build:conformance']);
  const pure = await import(pathToFileURL(join(root, 'build', 'conformance', 'pure.mjs')).href);
  process.exit(replayCheckout(resolve(checkout), pure, console.log) ? 0 : 1);
}

const folder = resolve(process.env.TABRAFT_CONFORMANCE ?? join(root, '..', 'shared', 'conformance'));

if (!existsSync(join(folder, 'run.mjs'))) {
  console.log(`conformance: no transcripts at ${folder}; nothing was replayed (TABRAFT_CONFORMANCE names another folder)`);
  process.exit(0);
}

run('building', ['npm', 'run', '--silent', 'build:conformance']);
const built = (name) => join(root, 'build', 'conformance', `${name}.mjs`);
const results = [
  ['etcd-interaction', ['node', join(folder, 'run.mjs'), built('adapter'), join(folder, 'etcd-interaction'), 'strict', '-v']],
  ['etcd-random', ['node', join(folder, 'run.mjs'), built('adapter'), join(folder, 'etcd-random'), 'strict', '-v']],
  ['tables', ['node', join(folder, 'pure.mjs'), built('pure'), join(folder, 'etcd-quorum'), join(folder, 'etcd-confchange')]],
].map(([name, command]) => {
  const { stdout, stderr, status } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  if (status !== 0) console.log((stdout + stderr).trimEnd());
  const lines = stdout.trim().split('\n');
  console.log(`${name}: ${lines[lines.length - 1]}`);
  return status === 0;
});
process.exit(results.every(Boolean) ? 0 : 1);

function run(what, [command, ...args]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${what} failed\n${stdout}${stderr}`);
  process.exit(1);
}
