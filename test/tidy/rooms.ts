/** The house plan: which room may import which. docs/ARCHITECTURE.md draws it. */

/** What each room may import besides itself: a room's name, or one file of a room (its port). */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  codec: ['core'],
  wire: ['core', 'codec'],
  storage: ['core', 'codec'],
  state: ['core', 'codec', 'trust'],
  // Machines as an application writes them: nothing of what runs them.
  structures: ['core', 'state'],
  text: ['core', 'state'],
  bindings: ['core', 'state', 'index'],
  metrics: ['index'],
  signaling: ['core'],
  // Its links work over the port, whatever is behind it.
  trust: ['core', 'codec', 'src/transport/transport.ts'],
  transport: ['core', 'wire', 'signaling'],
  runtime: [
    'core',
    'codec',
    'wire',
    'state',
    'src/storage/storage.ts',
    // Works over the port, whatever is behind it.
    'src/storage/dump.ts',
    'src/storage/recover.ts',
    'src/storage/retired.ts',
    'src/transport/transport.ts',
    'src/signaling/signaling.ts',
    'src/signaling/protocol.ts',
    'trust',
  ],
  // The front doors assemble; nothing inside the house imports them.
  'front-door': [
    // A WebSocket for Node.
    'signaling/sockets.ts',
    'core',
    'codec',
    'wire',
    'storage',
    'state',
    'signaling',
    'transport',
    'trust',
    'runtime',
  ],
  index: ['core', 'state', 'runtime', 'trust', 'front-door'],
  node: ['core', 'state', 'runtime', 'trust', 'front-door', 'index'],
  testing: ['core', 'codec', 'wire', 'storage', 'state', 'signaling', 'transport', 'trust', 'runtime', 'front-door'],
  cli: [
    'core',
    'codec',
    'wire',
    'storage',
    'state',
    'signaling',
    'transport',
    'trust',
    'runtime',
    'front-door',
    'node',
    'signaling/disk.ts',
  ],
  // A page's look into a node: types of the front door; what it plays back and checks is loaded when it is asked for.
  inspector: [
    'core',
    'index',
    'src/runtime/record/replay.ts',
    'src/testing/history/linearizability.ts',
    'src/testing/history/models.ts',
    'src/testing/history/history.ts',
  ],
  // Outside src.
  server: ['core', 'signaling'],
  // A room's object: the signaling server's rooms and, where the deployment keeps the room, a member of it.
  cloudflare: ['core', 'storage', 'signaling', 'front-door', 'server'],
  demo: ['index', 'inspector', 'structures'],
};

/**
 * The floors of the runtime: what each of its rooms may import of the others, types included. Duties, watch and client stand side
 * by side and know nothing of each other; the application side (client, watch) reaches consensus through ports/seam.ts.
 */
export const RUNTIME_ARROWS: Readonly<Record<string, readonly string[]>> = {
  ports: [],
  record: ['ports'],
  api: ['ports', 'record'],
  peers: ['ports', 'api'],
  member: ['ports', 'record', 'api'],
  standing: ['ports', 'api', 'peers', 'member'],
  client: ['ports', 'api', 'member'],
  duties: ['ports', 'api', 'peers', 'member', 'standing'],
  watch: ['ports', 'api', 'peers', 'member', 'standing'],
  node: ['ports', 'record', 'api', 'peers', 'member', 'standing', 'client', 'duties', 'watch'],
  // Who is no member: links, the ordinary writes, and a member in the place of the log.
  guest: ['ports', 'api', 'peers', 'client', 'duties', 'node'],
  crossing: ['ports', 'api', 'member', 'standing', 'client', 'watch', 'node'],
};

/** The room of the runtime that a file stands in. */
export function runtimeRoomOf(path: string): string | undefined {
  return /^src\/runtime\/([^/]+)\//.exec(path)?.[1];
}

/**
 * The floors of the core, from the ground up, types included: a file may import from its own floor and from those below, and
 * nowhere in a circle. Verbs that several chapters use are below, chapters above. A name that ends in / is a folder.
 */
export const CORE_FLOORS: readonly (readonly [floor: string, ...names: readonly string[]])[] = [
  ['words', 'types', 'writable', 'limits', 'random', 'errors', 'assert', 'outcome', 'trace', 'status'],
  ['parts', 'conf/', 'quorum/', 'log/', 'progress/', 'outbox', 'protocol/read-queue', 'compat', 'config'],
  ['state', 'state'],
  ['verbs', ...['send', 'settled', 'lease', 'reads', 'replicate', 'roles'].map((name) => `protocol/${name}`)],
  [
    'chapters',
    ...['propose', 'election', 'append-entries', 'heartbeat', 'read-index', 'transfer', 'membership', 'install-snapshot'].map(
      (name) => `protocol/${name}`,
    ),
    ...['check-quorum', 'contradiction', 'alone', 'proxy-vote'].map((name) => `protocol/${name}`),
  ],
  ['desk', 'step', 'tick', 'ready', 'invariants', 'status-of', 'describe'],
  ['face', 'raw-node', 'index'],
];

/** How high up in the core a file stands; undefined when it has no place. */
export function coreFloorOf(path: string): number | undefined {
  const name = /^src\/core\/(.+)\.ts$/.exec(path)?.[1];
  if (name === undefined) return undefined;
  const floor = CORE_FLOORS.findIndex(([, ...names]) =>
    names.some((one) => (one.endsWith('/') ? name.startsWith(one) : name === one)),
  );
  return floor < 0 ? undefined : floor;
}

/** The one folder (or file) that imports a package. A package that is not here may not be imported at all. */
export const IMPORTERS: Readonly<Record<string, string>> = {
  msgpackr: 'src/codec/',
  idb: 'src/storage/idb/',
  lmdb: 'src/storage/lmdb/',
  'simple-peer': 'src/transport/webrtc/',
  uqr: 'demo/view/qr.ts',
  ws: 'signaling/',
  redis: 'signaling/redis/',
  yjs: 'src/text/',
  react: 'src/bindings/react.ts',
  vue: 'src/bindings/vue.ts',
  'solid-js': 'src/bindings/solid.ts',
  '@playwright/test': 'src/testing/playwright/',
  'node-datachannel': 'src/cli/peer/',
};

/** Where Node's own modules may be imported. */
export const NODE_ROOMS: ReadonlySet<string> = new Set(['cli', 'node', 'server', 'testing']);
export const NODE_FOLDERS: readonly string[] = ['src/storage/lmdb/'];

export function roomOf(path: string): string {
  const src = /^src\/(?:([^/]+)\/|([^/]+)\.ts$)/.exec(path);
  if (src) return src[1] ?? src[2] ?? path;
  if (path.startsWith('signaling/cloudflare/')) return 'cloudflare';
  if (path.startsWith('signaling/')) return 'server';
  return path.split('/')[0] ?? path;
}
