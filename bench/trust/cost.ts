/** What the proof costs: two ends in one thread, so the time of a handshake is the work of both. Run by run.mjs (npm run bench:trust), in Node and in Chromium. */
import { Handshake } from '../../src/trust/handshake/handshake.ts';
import type { End } from '../../src/trust/handshake/messages.ts';
import { createKeyPair, type Identity, identityOf } from '../../src/trust/identity.ts';
import { ResumeCache } from '../../src/trust/resume.ts';
import { SealedFrames, type SealKeys } from '../../src/trust/sealed-frames.ts';
import { createSecret, type PreparedSecret, prepareSecret } from '../../src/trust/secret.ts';

interface Side {
  readonly identity: Identity;
  readonly resume: ResumeCache;
}

const clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs);
    return { stop: () => clearTimeout(timer) };
  },
};

/** What a message of the proof takes from one end to the other. */
type Carry = (message: Uint8Array, arrive: () => void) => void;

const AT_ONCE: Carry = (_message, arrive) => queueMicrotask(arrive);

async function handshake(
  dialler: Side,
  answerer: Side,
  secret: PreparedSecret,
  bound: boolean,
  carry: Carry = AT_ONCE,
): Promise<readonly SealKeys[]> {
  const ends: Handshake[] = [];
  const fingerprints = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
  const start = (end: End, own: Side, peer: Side, to: number): Handshake => {
    const binding = bound
      ? { own: fingerprints[1 - to] ?? fingerprints[0], peer: fingerprints[to] ?? fingerprints[0] }
      : undefined;
    const standing = { memberKey: () => undefined, isRevoked: () => false, invite: () => undefined };
    const common = { room: 'kitchen', clusterId: '', epoch: 0, clock, secret, invite: undefined, binding, standing };
    return Handshake.start(
      { ...common, ...own, end, peer: peer.identity.id },
      {
        send: (message) => carry(message, () => void ends[to]?.onBytes(message)),
        onProven: () => undefined,
        onFailed: () => undefined,
      },
    );
  };
  ends.push(start('dialler', dialler, answerer, 1), start('answerer', answerer, dialler, 0));
  const results = await Promise.all(ends.map((end) => end.result));
  return results.map(({ proven, failure }) => {
    if (proven === undefined) throw failure.error;
    return proven.sealKeys ?? ({} as SealKeys);
  });
}

/** A proof over a slow line: messages, their bytes, and how often a message and its answer pass before both ends are proven. */
export async function measureTrips(oneWayMs: number): Promise<Readonly<Record<string, number>>> {
  const [a, b] = await sides();
  const secret = await prepareSecret(createSecret('kitchen'));
  const once = async (): Promise<Readonly<Record<string, number>>> => {
    const lengths: number[] = [];
    const from = performance.now();
    await handshake(a, b, secret, true, (message, arrive) => {
      lengths.push(message.length);
      setTimeout(arrive, oneWayMs);
    });
    const trips = (performance.now() - from) / (2 * oneWayMs);
    const bytes = lengths.reduce((sum, length) => sum + length, 0);
    return { messages: lengths.length, bytes, roundTrips: Math.round(trips * 100) / 100 };
  };
  await once();
  a.resume.forget(b.identity.id);
  const full = await once();
  const resumed = await once();
  return { ...full, resumedBytes: resumed['bytes'] ?? 0, resumedRoundTrips: resumed['roundTrips'] ?? 0 };
}

async function sides(): Promise<readonly [Side, Side]> {
  const make = async (): Promise<Side> => ({ identity: await identityOf(await createKeyPair(false)), resume: new ResumeCache() });
  return [await make(), await make()];
}

/** ms for both sides together, and for one side's share. */
export async function measure(runs: number): Promise<Readonly<Record<string, number>>> {
  const [a, b] = await sides();
  const secret = await prepareSecret(createSecret('kitchen'));
  const timed = async (run: () => Promise<unknown>): Promise<number> => {
    for (let i = 0; i < runs / 5; i++) await run();
    const from = performance.now();
    for (let i = 0; i < runs; i++) await run();
    return Math.round(((performance.now() - from) / runs) * 1000) / 1000;
  };
  const full = await timed(() => {
    a.resume.forget(b.identity.id);
    return handshake(a, b, secret, true);
  });
  const resumed = await timed(() => handshake(a, b, secret, true));
  const [left, right] = await handshake(a, b, secret, false);
  if (left === undefined || right === undefined) throw new Error('no keys');
  const [from, to] = [new SealedFrames(left), new SealedFrames(right)];
  const frame = new Uint8Array(16 * 1024);
  const sealed = await timed(async () => to.openFrame(await from.sealFrame(frame)));
  return { fullMsBothSides: full, fullMsOneSide: full / 2, resumedMsBothSides: resumed, seal16KiBAndOpenMs: sealed };
}
