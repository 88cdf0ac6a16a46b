/** Who is dialled when, and how often: tries have turns, a peer has one at a time, and slow is told from dead. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RaftError } from '../../src/core/errors.ts';
import { DialDesk } from '../../src/transport/webrtc/dial-desk.ts';
import { Peer, type PeerContext } from '../../src/transport/webrtc/peer.ts';
import type { LinkSignal, WebrtcLinkEvents } from '../../src/transport/webrtc/raw-link.ts';
import type { PeerSignal } from '../../src/transport/webrtc/signal.ts';

const DIALS = 4;
const ANSWERS = 8;

interface MadeLink {
  readonly initiator: boolean;
  readonly events: WebrtcLinkEvents;
  readonly atMs: number;
  closed: boolean;
  readonly heard: LinkSignal[];
}

/** One transport's peers, over links that do only what the test says. */
class Page {
  readonly made: MadeLink[] = [];
  readonly said: { readonly to: string; readonly signal: PeerSignal }[] = [];
  readonly changes: string[] = [];
  readonly faults: RaftError[] = [];
  readonly peers = new Map<string, Peer>();
  readonly context: PeerContext;

  constructor(self: string) {
    this.context = {
      self,
      instance: 'own',
      kind: 'test',
      rtc: class {} as unknown as typeof RTCPeerConnection,
      dials: new DialDesk(DIALS),
      answers: new DialDesk(ANSWERS),
      random: () => 0,
      configuration: async () => ({}),
      make: ({ initiator }, events) => {
        const link: MadeLink = { initiator, events, atMs: performance.now(), closed: false, heard: [] };
        this.made.push(link);
        return {
          signal: (signal) => void link.heard.push(signal),
          fingerprints: () => undefined,
          send: () => undefined,
          bufferedBytes: () => 0,
          close: () => {
            link.closed = true;
          },
        };
      },
      signal: (to, signal) => {
        this.said.push({ to, signal });
        return true;
      },
      onMessage: () => undefined,
      onLink: (peer, state) => void this.changes.push(`${peer} ${state}`),
      onFault: (error) => void this.faults.push(error),
      onLeaving: () => undefined,
    };
  }

  peer(id: string): Peer {
    const known = this.peers.get(id) ?? new Peer(id, this.context);
    this.peers.set(id, known);
    return known;
  }

  enter(...ids: readonly string[]): void {
    for (const id of ids) this.peer(id).setPresent(true);
  }

  dialled(): string[] {
    return this.said.filter(({ signal }) => signal.dial === true).map(({ to }) => to);
  }

  get inFlight(): number {
    return this.made.filter(({ closed }) => !closed).length;
  }
}

const offer = (session: string, instance = 'theirs'): PeerSignal => ({
  instance,
  session,
  description: { type: 'offer', sdp: session },
});
const candidate = (session: string): PeerSignal => ({
  instance: 'theirs',
  session,
  candidate: { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 },
});
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const ids = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(2, '0')}`);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('tries with one peer', () => {
  it('B4: are at most one per 200 ms, whatever it sends; the newest offer is the one that is answered', async () => {
    const page = new Page('z');
    const hostile = page.peer('hostile');
    hostile.setPresent(true);
    for (let i = 0; i < 600; i++) hostile.hear(offer(`s${i}`));
    await settle();
    expect(page.made.length).toBe(1);
    for (let i = 0; i < 100; i++) {
      hostile.hear(offer(`t${i}`, `instance${i}`));
      await settle(10);
    }
    expect(page.made.length).toBeLessThanOrEqual(7);
    expect(page.inFlight).toBe(1);
    await settle(200);
    expect(page.made.at(-1)?.heard[0]).toMatchObject({ description: { sdp: 't99' } });
  });

  it('are at most one per 200 ms, however often it asks to be dialled', async () => {
    const page = new Page('a');
    page.enter('z');
    for (let i = 0; i < 100; i++) {
      page.peer('z').hear({ instance: `i${i}`, dial: true });
      await settle(10);
    }
    expect(page.made.length).toBeLessThanOrEqual(7);
    expect(page.made.length).toBeGreaterThanOrEqual(4);
  });

  it('keep only the candidates of the offer that waits, and not more than a try may have', async () => {
    const page = new Page('z');
    const peer = page.peer('b');
    peer.setPresent(true);
    peer.hear(offer('s1'));
    await settle();
    peer.hear(offer('s2'));
    for (let i = 0; i < 1_000; i++) peer.hear(candidate('s2'));
    peer.hear(candidate('s0'));
    await settle(200);
    expect(page.made.length).toBe(2);
    expect(page.made[1]?.heard.length).toBe(101);
  });
});

describe('a room that fills at once', () => {
  it('T4: is dialled by turns; all get theirs', async () => {
    const page = new Page('a');
    page.enter(...ids(40, 'n'));
    await settle();
    expect(page.made.length).toBe(DIALS);
    for (let opened = 0; opened < 40; opened++) {
      page.made[opened]?.events.onOpen();
      await settle();
      expect(page.made.length).toBe(Math.min(40, opened + 1 + DIALS));
    }
    expect(page.changes.filter((one) => one.endsWith('open')).length).toBe(40);
  });

  it('is asked to dial by turns, and answered by turns: who waits is told so, again and again', async () => {
    const page = new Page('zz');
    page.enter(...ids(20, 'n'));
    expect(page.dialled().length).toBe(DIALS);
    for (const id of ids(20, 'n')) page.peer(id).hear(offer(`of-${id}`));
    await settle();
    expect(page.made.length).toBe(ANSWERS);
    const told = (): string[] => page.said.filter(({ signal }) => signal.queued === true).map(({ to }) => to);
    expect(new Set(told()).size).toBe(20 - ANSWERS);
    await settle(3_400);
    expect(told().length).toBe(2 * (20 - ANSWERS));
    for (let i = 0; i < 20; i++) {
      page.made[i]?.events.onOpen();
      await settle();
    }
    expect(page.changes.filter((one) => one.endsWith('open')).length).toBe(20);
  });

  it('is dialled in the order that was asked for, and those who were left out are not, but answered', async () => {
    const page = new Page('m');
    const [leader, voter, other, earlier] = [
      page.peer('s-leader'),
      page.peer('r-voter'),
      page.peer('n-other'),
      page.peer('b-other'),
    ];
    leader.setWanted(true, 0);
    voter.setWanted(true, 1);
    for (const one of [other, earlier]) one.setWanted(false, 2);
    page.enter('n-other', 'r-voter', 's-leader', 'b-other');
    await settle();
    expect(page.made.length).toBe(2);
    expect(page.dialled()).toEqual([]);
    earlier.hear(offer('s1'));
    other.hear({ instance: 'theirs', dial: true });
    await settle();
    expect(page.made.length).toBe(4);
    const last = page.peer('t-last');
    last.setWanted(false, 2);
    last.setPresent(true);
    last.setWanted(true, 0);
    await settle();
    expect(page.changes.at(-1)).toBe('t-last connecting');
  });

  it('lets a newcomer in though strangers hold all turns with tries that come to nothing', async () => {
    const page = new Page('a');
    page.enter(...ids(30, 'dead'));
    await settle(60_000);
    page.enter('newcomer');
    await settle(5_000);
    expect(page.changes).toContain('newcomer connecting');
    expect(page.inFlight).toBeLessThanOrEqual(DIALS);
  });
});

describe('a try', () => {
  it('goes on as long as something comes of it, and ends when nothing does', async () => {
    const page = new Page('a');
    page.enter('b');
    await settle();
    const session = page.said.length;
    expect(session).toBe(0);
    for (let i = 0; i < 2; i++) {
      await settle(9_000);
      page.made[0]?.events.onProgress();
    }
    expect(page.changes).toEqual(['b connecting']);
    await settle(10_000);
    expect(page.changes).toEqual(['b connecting', 'b closed']);
  });

  it('ends after a while even if something always comes of it', async () => {
    const page = new Page('a');
    page.enter('b');
    for (let i = 0; i < 29; i++) {
      await settle(1_000);
      page.made[0]?.events.onProgress();
    }
    expect(page.changes).toEqual(['b connecting']);
    await settle(1_100);
    expect(page.changes.slice(0, 2)).toEqual(['b connecting', 'b closed']);
  });

  it('does not end because this page was busy: what has arrived meanwhile is read first', async () => {
    const page = new Page('a');
    page.enter('b');
    await settle();
    const now = performance.now.bind(performance);
    await settle(9_999);
    const late = vi.spyOn(performance, 'now').mockImplementation(() => now() + 15_000);
    await settle(1);
    expect(page.changes).toEqual(['b connecting']);
    page.made[0]?.events.onOpen();
    late.mockRestore();
    expect(page.changes).toEqual(['b connecting', 'b open']);
  });

  it('waits for a peer that says that it will come to it', async () => {
    const page = new Page('b');
    page.enter('a');
    expect(page.dialled()).toEqual(['a']);
    for (let i = 0; i < 5; i++) {
      await settle(9_000);
      page.peer('a').hear({ instance: 'theirs', queued: true });
    }
    expect(page.changes).toEqual(['a connecting']);
    await settle(10_000);
    expect(page.changes).toEqual(['a connecting', 'a closed']);
  });

  it('says that there is no network only when all has been looked for and nothing found, not because that takes long', async () => {
    const slow = new Page('a');
    slow.enter('b');
    await settle(9_000);
    expect(slow.faults).toEqual([]);
    slow.made[0]?.events.onSignal({ candidate: { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 } });
    slow.made[0]?.events.onGathered();
    const early = new Page('a');
    early.enter('b');
    await settle();
    early.made[0]?.events.onGathered(); // says so before it tells what: node-datachannel does
    early.made[0]?.events.onSignal({ candidate: { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 } });
    await settle(500);
    expect([...slow.faults, ...early.faults]).toEqual([]);
    const none = new Page('a');
    none.enter('b');
    await settle();
    none.made[0]?.events.onGathered();
    await settle(500);
    expect(none.faults.map(({ code }) => code)).toEqual(['link-failed']);
    expect(none.changes).toEqual(['b connecting', 'b closed']);
  });
});

describe('always', () => {
  const who = fc.constantFrom('b', 'c', 'd', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v');
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('come', 'go', 'offer', 'dial', 'queued', 'want', 'unwant', 'cut'), who }),
    fc.record({ do: fc.constantFrom('open', 'fail'), link: fc.nat({ max: 40 }) }),
    fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(1, 50, 199, 1_000, 12_000) }),
  );
  type Step = { readonly do: string; readonly who?: string; readonly link?: number; readonly ms?: number };

  async function play(page: Page, s: Step, i: number): Promise<void> {
    const link = page.made[s.link ?? -1];
    if (s.do === 'wait') await settle(s.ms);
    else if (s.do === 'open' && link?.closed === false) link.events.onOpen();
    else if (s.do === 'fail' && link?.closed === false) link.events.onClose(undefined);
    if (s.who === undefined) return;
    const peer = page.peer(s.who);
    if (s.do === 'come' || s.do === 'go') peer.setPresent(s.do === 'come');
    else if (s.do === 'want' || s.do === 'unwant') peer.setWanted(s.do === 'want', i % 3);
    else if (s.do === 'offer') peer.hear(offer(`s${i}`));
    else if (s.do === 'dial') peer.hear({ instance: `i${i % 2}`, dial: true });
    else if (s.do === 'queued') peer.hear({ instance: 'theirs', queued: true });
    else peer.disconnect({ message: 'cut' } as RaftError);
  }

  it('so many tries and no more are in flight; no turn is lost, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const page = new Page('m');
        const opened = new Set<MadeLink>();
        for (const [i, s] of (steps as readonly Step[]).entries()) {
          const link = s.do === 'open' ? page.made[s.link ?? -1] : undefined;
          if (link !== undefined) opened.add(link);
          await play(page, s, i);
          await settle();
          const trying = page.made.filter((one) => !one.closed && !opened.has(one)).length;
          expect(trying).toBeLessThanOrEqual(DIALS + ANSWERS);
          expect(page.context.dials.busy).toBeLessThanOrEqual(DIALS);
          expect(page.context.answers.busy).toBeLessThanOrEqual(ANSWERS);
        }
        // When everybody is there and wanted, everybody gets a turn, and in the end no turn is held by anybody.
        for (const peer of page.peers.values()) peer.setWanted(true, 0);
        page.enter(...page.peers.keys());
        for (let round = 0; round < 40; round++) {
          for (const [id, peer] of page.peers)
            if (id < 'm' && peer.status().state === 'connecting') peer.hear(offer(`end-${round}`));
          await settle(1_000);
          for (const one of page.made.filter((link) => !link.closed && !opened.has(link))) {
            opened.add(one);
            one.events.onOpen();
          }
        }
        expect([...page.peers.values()].map((peer) => peer.status().state)).toEqual([...page.peers].map(() => 'open'));
        expect([page.context.dials.busy, page.context.answers.busy]).toEqual([0, 0]);
        for (const peer of page.peers.values()) peer.stop();
      }),
      { numRuns: 150 },
    );
  });
});
