/** Hostile inputs for everything that decodes what a peer, a log or an application says. Seeded: a failure can be had again. */
import { decodeEntries, encodeEntries } from '../../src/codec/entries.ts';
import { packCommand, unpack, unpackCommand, unpackValue } from '../../src/codec/pack.ts';
import { RaftError } from '../../src/core/errors.ts';
import { decodeEnvelope, encodeCommand, encodeRegister } from '../../src/state/envelope.ts';
import { Prng } from '../../src/testing/prng.ts';
import * as bodies from '../../src/wire/bodies.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/codec.ts';
import { decodeAnswer, decodeQuestion, encodeQuestion } from '../../src/wire/digest-bodies.ts';
import { RAFT_SAMPLES, SAMPLES } from './samples.ts';

const sender = { self: 'node-a', peer: 'node-b' };
const receiver = { self: 'node-b', peer: 'node-a' };
const value = {
  name: 'Anna',
  list: [1, 2.5, -7n, null],
  map: new Map([['k', new Set([1])]]),
  at: new Date(5),
  bytes: new Uint8Array(9),
};
const command = packCommand(value);
const envelope = {
  session: 5,
  sequence: 300,
  answeredBelow: 7,
  machineVersion: 1,
  expectedTerm: 0,
  notAfter: 2 ** 41,
  key: 'order',
  command,
};

/** A decoder, what it can read, and what it says to all else. */
interface Target {
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly samples: readonly Uint8Array[];
  readonly refusal: 'message-invalid' | 'corrupt';
}
const appends = RAFT_SAMPLES.flatMap((message) => (message.type === 'append-request' ? [encodeEntries(message.entries)] : []));
const report = {
  role: 'leader',
  term: 4,
  commit: 8,
  applied: 7,
  last: 9,
  leaderId: 'a',
  shortOfSpace: true,
  failureTolerance: 1,
  hidden: true,
  saving: false,
  late: true,
  lasting: false,
  reluctant: false,
  confVersion: 5,
} as const;
const introduction = { version: 9, term: 4, voters: ['a', 'b'], others: ['c'] };
const TARGETS: readonly Target[] = [
  {
    decode: (bytes) => decodePeerMessage(bytes, receiver),
    samples: SAMPLES.flatMap(([, message]) => [encodePeerMessage(message, sender), encodePeerMessage(message)]),
    refusal: 'message-invalid',
  },
  { decode: decodeEntries, samples: appends, refusal: 'message-invalid' },
  { decode: unpack, samples: SAMPLES.map(([, message]) => encodePeerMessage(message)), refusal: 'message-invalid' },
  { decode: (bytes) => unpackValue(bytes), samples: [command], refusal: 'message-invalid' },
  { decode: unpackCommand, samples: [command], refusal: 'message-invalid' },
  { decode: decodeEnvelope, samples: [encodeCommand(envelope), encodeRegister('client', 'nonce')], refusal: 'corrupt' },
  { decode: bodies.decodeProposal, samples: [bodies.encodeProposal([command, command])], refusal: 'message-invalid' },
  {
    decode: bodies.decodeChange,
    samples: [bodies.encodeChange({ steps: [{ op: 'voter', id: 'c', context: command }], transition: 'auto', ifVersion: 3 })],
    refusal: 'message-invalid',
  },
  { decode: bodies.decodeJoin, samples: [bodies.encodeJoin({ nodeId: 'c', context: command })], refusal: 'message-invalid' },
  {
    decode: bodies.decodeJoinReply,
    samples: [bodies.encodeJoinReply({ clusterId: 'cluster', epoch: 1, introduction })],
    refusal: 'message-invalid',
  },
  { decode: bodies.decodeReport, samples: [bodies.encodeReport({ ...report, introduction })], refusal: 'message-invalid' },
  { decode: decodeQuestion, samples: [encodeQuestion(['rerun', 4, 700])], refusal: 'message-invalid' },
  { decode: decodeAnswer, samples: [encodeQuestion(['compare', 4, 700])], refusal: 'message-invalid' },
];

/** Bytes that begin something in MessagePack, or are at an end of a range. */
const TELLING: readonly number[] = [
  0, 1, 0x7f, 0x80, 0x8f, 0x90, 0x9a, 0x9f, 0xa1, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xcb, 0xcf, 0xd4, 0xdc, 0xdd, 0xdf, 0xff,
];

/** Some bytes changed, cut out, put in, or the end lost; now and then all of them made up. */
function mutate(sample: Uint8Array, random: Prng): Uint8Array {
  const below = (bound: number): number => random.uint32() % bound;
  const byte = (): number => (below(2) === 0 ? below(256) : (TELLING[below(TELLING.length)] ?? 0));
  if (below(10) === 0) return Uint8Array.from({ length: below(64) }, byte);
  const bytes = [...sample];
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const how = below(10);
    if (how < 6) bytes[Math.min(at, Math.max(0, bytes.length - 1))] = byte();
    else if (how < 8) bytes.splice(at, 1 + below(3));
    else if (how < 9) bytes.splice(at, 0, byte(), byte());
    else bytes.length = at;
  }
  return Uint8Array.from(bytes);
}

export interface FuzzResult {
  /** Inputs that were read as something. */
  readonly read: number;
  readonly refused: number;
  /** What must not happen, each with the input that did it. */
  readonly faults: readonly string[];
}

export function fuzz(seed: string, inputs: number): FuzzResult {
  const random = new Prng(seed);
  const faults: string[] = [];
  let read = 0;
  let refused = 0;
  for (let i = 0; i < inputs && faults.length < 10; i++) {
    const which = i % TARGETS.length;
    const target = TARGETS[which] as Target;
    const input = mutate(target.samples[random.uint32() % target.samples.length] as Uint8Array, random);
    try {
      target.decode(input);
      read++;
    } catch (error) {
      refused++;
      if (RaftError.is(error) && error.code === target.refusal) continue;
      faults.push(`decoder ${which}, ${Buffer.from(input).toString('hex')}: ${String(error)}`);
    }
  }
  return { read, refused, faults };
}
