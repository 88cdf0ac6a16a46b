/**
 * A member that disturbs: it hears nobody, so that it asks for votes over and over, and sends noise, halves of messages, and what it
 * said before once more. It does not lie: no message says what it did not say itself. Against liars among the members nothing is promised.
 */
import type { NodeId, Transport } from '../../src/index.ts';

type Lane = Parameters<Transport['send']>[2];

/** Between two rounds, in ms. */
const ROUND_MS = 100;
/** Own messages that are remembered to be said again, and the longest of them in bytes. */
const SAID_MAX = 64;
const SAID_BYTES_MAX = 16_384;
const NOISE_BYTES_MAX = 256;

interface Said {
  readonly bytes: Uint8Array;
  readonly lane: Lane;
}

export class Rogue {
  readonly #transport: () => Transport;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #said: Said[] = [];

  constructor(transport: () => Transport) {
    this.#transport = transport;
    this.#timer = setInterval(() => this.#round(), ROUND_MS);
  }

  /** What the node says: to be said again later. */
  overhear(bytes: Uint8Array, lane: Lane): void {
    if (bytes.byteLength > SAID_BYTES_MAX) return;
    this.#said.push({ bytes: bytes.slice(), lane });
    if (this.#said.length > SAID_MAX) this.#said.shift();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #round(): void {
    const transport = this.#transport();
    for (const { peer, state } of transport.links()) if (state === 'open') this.#disturb(transport, peer);
  }

  #disturb(transport: Transport, peer: NodeId): void {
    const old = this.#said[Math.floor(Math.random() * this.#said.length)];
    if (old === undefined) return;
    const noise = crypto.getRandomValues(new Uint8Array(1 + Math.floor(Math.random() * NOISE_BYTES_MAX)));
    for (const bytes of [old.bytes, old.bytes.subarray(0, old.bytes.byteLength >> 1), noise])
      transport.send(peer, bytes, old.lane);
  }
}
