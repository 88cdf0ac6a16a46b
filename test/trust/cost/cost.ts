/** What the proof costs: two ends in one thread, so the time of a handshake is the work of both. Run by run.mjs, in Node and in Chromium. */
import { Handshake } from '../../../src/trust/handshake/handshake.ts';
import type { End } from '../../../src/trust/handshake/messages.ts';
import { createKeyPair, type Identity, identityOf } from '../../../src/trust/identity.ts';
import { ResumeCache } from '../../../src/trust/resume.ts';
import { SealedFrames, type SealKeys } from '../../../src/trust/sealed-frames.ts';
import { createSecret, type PreparedSecret, prepareSecret } from '../../../src/trust/secret.ts';

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

async function handshake(dialler: Side, answerer: Side, secret: PreparedSecret, bound: boolean): Promise<readonly SealKeys[]> {
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
        send: (message) => queueMicrotask(() => ends[to]?.onBytes(message)),
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

/** ms for both sides together, and for one side's share. */
export async function measure(runs: number): Promise<Readonly<Record<string, number>>> {
  const [one, two] = await Promise.all([0, 1].map(async () => identityOf(await createKeyPair(false))));
  if (one === undefined || two === undefined) throw new Error('no identities');
  const secret = await prepareSecret(createSecret('kitchen'));
  const a: Side = { identity: one, resume: new ResumeCache() };
  const b: Side = { identity: two, resume: new ResumeCache() };
  const timed = async (run: () => Promise<unknown>): Promise<number> => {
    for (let i = 0; i < runs / 5; i++) await run();
    const from = performance.now();
    for (let i = 0; i < runs; i++) await run();
    return Math.round(((performance.now() - from) / runs) * 1000) / 1000;
  };
  const full = await timed(() => {
    a.resume.forget(two.id);
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
