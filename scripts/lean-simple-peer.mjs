/**
 * simple-peer without what its prebuilt file brings of Node: its own source, with src/transport/webrtc/simple-peer-parts.ts in the place of
 * the seven packages that it asks for. A release whose first lines are others is refused, not guessed at.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../node_modules/simple-peer/index.js', import.meta.url));
const PARTS = fileURLToPath(new URL('../src/transport/webrtc/simple-peer-parts.ts', import.meta.url));

/** Each line that asks for a package, and what stands there instead. */
const INSTEAD = [
  ["const debug = require('debug')('simple-peer')", 'const debug = () => {};'],
  // A link says which constructors are taken.
  ["const getBrowserRTC = require('get-browser-rtc')", 'const getBrowserRTC = () => undefined;'],
  [
    "const randombytes = require('randombytes')",
    `import { Buffer, Duplex, errCode, randombytes } from ${JSON.stringify(PARTS)};`,
  ],
  ["const stream = require('readable-stream')", 'const stream = { Duplex };'],
  ["const queueMicrotask = require('queue-microtask') // TODO: remove when Node 10 is not supported", ''],
  ["const errCode = require('err-code')", ''],
  ["const { Buffer } = require('buffer')", ''],
  ['module.exports = Peer', 'export default Peer;'],
];

/** Throws when the text is not that of the release this was written for. */
export function leanSource(text) {
  let lean = text;
  for (const [line, instead] of INSTEAD) {
    if (lean.split(line).length !== 2) throw new Error(`simple-peer has another text than expected: no ${JSON.stringify(line)}.`);
    lean = lean.replace(line, () => instead);
  }
  if (/\brequire\(|\bmodule\.exports\b/.test(lean)) throw new Error('simple-peer asks for more than expected.');
  return lean;
}

export const leanSimplePeer = {
  name: 'tabraft-lean-simple-peer',
  enforce: 'pre',
  resolveId(id) {
    return id === 'simple-peer/simplepeer.min.js' ? SOURCE : undefined;
  },
  load(id) {
    return id === SOURCE ? leanSource(readFileSync(SOURCE, 'utf8')) : undefined;
  },
};
