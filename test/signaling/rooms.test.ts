import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientMessage, ServerMessage } from '../../src/signaling/protocol.ts';
import { type ConnectionId, type Effect, Rooms, type RoomsOptions } from '../../src/signaling/rooms.ts';

const TOKEN = (name: string): string => name.padEnd(22, '-');

/** A host that keeps what each connection was told, and whose disk answers at once, or when it is let. */
class Host {
  readonly rooms: Rooms;
  readonly told = new Map<ConnectionId, ServerMessage[]>();
  readonly closed = new Map<ConnectionId, string>();
  readonly probes: ConnectionId[] = [];
  readonly remembered: string[] = [];
  disk: 'works' | 'fails' | 'hangs' = 'works';
  nowMs = 0;

  constructor(options: RoomsOptions = {}) {
    this.rooms = new Rooms(options);
  }

  say(connection: number, message: ClientMessage): void {
    this.perform(this.rooms.message(connection, message, this.nowMs));
  }

  hello(
    connection: number,
    nodeId: string,
    more: {
      readonly room?: string;
      readonly token?: string | null;
      readonly cluster?: string;
      readonly mayFound?: boolean;
    } = {},
  ): void {
    const { room = 'r', token = `token-of-${nodeId}`, cluster = null, mayFound = true } = more;
    const resume = token === null ? null : TOKEN(token);
    this.say(connection, { type: 'hello', version: 1, room, nodeId, resume, clusterId: cluster, mayFound });
  }

  leave(connection: number, broken = false): void {
    this.closed.set(connection, broken ? 'broke' : 'left');
    this.perform(this.rooms.closed(connection, this.nowMs, broken));
  }

  wait(ms: number): void {
    this.nowMs += ms;
    this.perform(this.rooms.tick(this.nowMs));
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.told.set(effect.connection, [...(this.told.get(effect.connection) ?? []), effect.message]);
      else if (effect.type === 'probe') this.probes.push(effect.connection);
      else if (effect.type === 'remember') {
        this.remembered.push(`${effect.room}=${effect.clusterId}`);
        if (this.disk !== 'hangs')
          this.perform(this.rooms.remembered(effect.room, effect.clusterId, this.disk === 'works', this.nowMs));
      } else {
        this.closed.set(effect.connection, effect.reason);
        this.perform(this.rooms.closed(effect.connection, this.nowMs));
      }
    }
  }

  types(connection: number): string[] {
    return (this.told.get(connection) ?? []).map((message) => message.type);
  }

  last(connection: number): ServerMessage | undefined {
    return this.told.get(connection)?.at(-1);
  }

  granted(): ConnectionId[] {
    return [...this.told]
      .filter(([id, messages]) => !this.closed.has(id) && messages.some((m) => m.type === 'grant'))
      .map(([id]) => id);
  }
}

describe('founding', () => {
  it('is granted to the first of five, and to nobody else', () => {
    const host = new Host();
    for (let i = 1; i <= 5; i++) host.hello(i, `n${i}`);
    expect(host.granted()).toEqual([1]);
  });

  it('passes to the next in line when the first leaves before it has founded', () => {
    const host = new Host();
    for (let i = 1; i <= 3; i++) host.hello(i, `n${i}`);
    host.leave(1);
    expect(host.granted()).toEqual([2]);
    host.leave(2);
    expect(host.granted()).toEqual([3]);
  });

  it('is told to all, the founder too, and ends all granting', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.say(1, { type: 'founded', clusterId: 'c1' });
    for (const connection of [1, 2]) expect(host.last(connection)).toEqual({ type: 'cluster', clusterId: 'c1' });
    expect(host.remembered).toEqual(['r=c1']);
    host.leave(1);
    host.leave(2);
    host.hello(3, 'n3');
    expect(host.told.get(3)).toEqual([
      { type: 'welcome', version: 1, peers: [], clusterId: 'c1', iceServers: [], iceSeconds: null, relay: false },
    ]);
  });

  it('is not granted where the cluster is known from before', () => {
    const host = new Host({ clusters: [['r', 'c1']] });
    host.hello(1, 'n1');
    expect(host.types(1)).toEqual(['welcome']);
  });

  it('is told to nobody before it is durable, and to all when it is', () => {
    const host = new Host();
    host.disk = 'hangs';
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.say(1, { type: 'founded', clusterId: 'c1' });
    expect([host.remembered, host.types(1), host.types(2)]).toEqual([['r=c1'], ['welcome', 'grant', 'peer-join'], ['welcome']]);
    expect([...host.rooms.knownClusters()]).toEqual([]);
    host.leave(1);
    host.hello(3, 'n3');
    expect([host.types(2), host.types(3)].flat()).not.toContain('grant');
    host.perform(host.rooms.remembered('r', 'another', true, host.nowMs));
    expect(host.types(2)).not.toContain('cluster');
    host.perform(host.rooms.remembered('r', 'c1', true, host.nowMs));
    expect(host.last(2)).toEqual({ type: 'cluster', clusterId: 'c1' });
    expect([...host.rooms.knownClusters()]).toEqual([['r', 'c1']]);
  });

  it('is stored again when the disk has failed, for as long as it takes, also when everybody has left', () => {
    const host = new Host();
    host.disk = 'fails';
    host.hello(1, 'n1');
    host.say(1, { type: 'founded', clusterId: 'c1' });
    host.leave(1);
    host.wait(2_000);
    host.hello(2, 'stranger');
    expect([host.remembered.length, host.types(2)]).toEqual([2, ['welcome']]);
    host.disk = 'works';
    host.wait(2_000);
    expect(host.last(2)).toEqual({ type: 'cluster', clusterId: 'c1' });
  });

  it('finding S2, what a member claims is stored by nobody, told to nobody, and does not shut out the founder', () => {
    const host = new Host();
    host.hello(1, 'stranger', { cluster: 'fake' });
    host.hello(2, 'founder');
    expect([host.types(1), host.types(2)]).toEqual([['welcome', 'peer-join'], ['welcome']]);
    host.wait(3_000);
    expect(host.granted()).toEqual([2]);
    host.say(2, { type: 'founded', clusterId: 'c1' });
    expect(host.remembered).toEqual(['r=c1']);
    host.say(1, { type: 'joined', clusterId: 'fake' });
    host.say(1, { type: 'founded', clusterId: 'fake' });
    expect([host.remembered, host.last(1)]).toEqual([['r=c1'], expect.objectContaining({ code: 'cluster-mismatch' })]);
  });

  it('finding S2, a claim keeps a grant back only while who claims is there', () => {
    const host = new Host();
    host.hello(1, 'member', { cluster: 'c1' });
    host.hello(2, 'newcomer');
    expect(host.granted()).toEqual([]);
    host.leave(1);
    expect(host.granted()).toEqual([2]);
  });

  it('who has joined by way of a member gives its grant back', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.say(1, { type: 'joined', clusterId: 'c1' });
    expect(host.types(2)).not.toContain('grant');
    host.wait(3_000);
    expect(host.last(2)).toEqual({ type: 'grant' });
  });

  it('by somebody it was not granted to is refused', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.say(2, { type: 'founded', clusterId: 'c2' });
    expect(host.last(2)).toMatchObject({ type: 'error', code: 'cluster-mismatch' });
    expect(host.remembered).toEqual([]);
  });

  it('is never granted to a node that does not want it', () => {
    const host = new Host();
    host.hello(1, 'n1', { mayFound: false });
    expect(host.types(1)).toEqual(['welcome']);
    host.hello(2, 'n2');
    host.leave(2);
    expect(host.types(1)).not.toContain('grant');
    expect(host.types(2)).toEqual(['welcome', 'grant']);
  });

  it('passes on when it takes too long', () => {
    const host = new Host({ grantMs: 1_000 });
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.nowMs = 999;
    host.perform(host.rooms.tick(host.nowMs));
    expect(host.granted()).toEqual([1]);
    host.nowMs = 1_000;
    host.perform(host.rooms.tick(host.nowMs));
    expect(host.last(1)).toMatchObject({ type: 'error', code: 'busy' });
    expect(host.granted()).toEqual([2]);
  });

  it('may be granted again where an operator says so', () => {
    const host = new Host({ clusters: [['r', 'gone']] });
    expect(host.rooms.forget('r')).toBe(true);
    host.hello(1, 'n1');
    expect(host.granted()).toEqual([1]);
  });
});

describe('identity', () => {
  it('of another cluster is let in and told which cluster the room has: what it makes of it is its own affair', () => {
    const host = new Host({ clusters: [['r', 'c1']] });
    host.hello(1, 'n1', { cluster: 'c2' });
    expect(host.told.get(1)).toEqual([
      { type: 'welcome', version: 1, peers: [], clusterId: 'c1', iceServers: [], iceSeconds: null, relay: false },
    ]);
  });

  it('with its resume token takes its place again, unseen by others and with its grant', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.hello(3, 'n1');
    expect(host.closed.get(1)).toBe('replaced');
    expect(host.types(3)).toEqual(['welcome', 'grant']);
    expect(host.types(2)).toEqual(['welcome']);
    host.say(3, { type: 'founded', clusterId: 'c1' });
    expect(host.last(2)).toEqual({ type: 'cluster', clusterId: 'c1' });
  });

  it('keeps its place for a while when its connection breaks, with its grant', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.leave(1, true);
    host.wait(2_999);
    expect([host.types(2), host.granted()]).toEqual([['welcome'], []]);
    host.say(2, { type: 'signal', to: 'n1', data: 1 });
    expect(host.last(2)).toMatchObject({ code: 'unknown-peer' });
    host.hello(3, 'n1');
    expect([host.types(3), host.types(2).includes('peer-leave')]).toEqual([['welcome', 'grant'], false]);
    host.leave(3, true);
    host.wait(3_000);
    expect(host.types(2).slice(-2)).toEqual(['peer-leave', 'grant']);
  });

  it('whose connection broke is free for the same node after a reload', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.leave(1, true);
    host.hello(2, 'n1', { token: 'after the reload' });
    expect([host.probes, host.types(2)]).toEqual([[], ['welcome', 'grant']]);
  });

  it('finding S1, is not taken by who knows all that its peers know', () => {
    const host = new Host();
    host.hello(1, 'n1');
    for (const [i, token] of ['guessed', null, 'boot-nonce-that-was-in-the-hello'].entries()) {
      host.hello(2 + i, 'n1', { token });
      expect(host.closed.has(1)).toBe(false);
      host.perform(host.rooms.probed(1, true, host.nowMs));
      expect(host.last(2 + i)).toMatchObject({ type: 'error', code: 'identity-in-use' });
    }
    host.say(1, { type: 'ping' });
    expect(host.last(1)).toEqual({ type: 'pong' });
  });

  it('without a token is replaced by nobody, not even by another without one', () => {
    const host = new Host();
    host.hello(1, 'n1', { token: null });
    host.hello(2, 'n1', { token: null });
    expect([host.probes, host.types(2), host.closed.has(1)]).toEqual([[1], [], false]);
  });

  it('under another token takes over when the old connection does not answer', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.hello(3, 'n1', { token: 'new' });
    expect([host.probes, host.types(3)]).toEqual([[1], []]);
    host.perform(host.rooms.probed(1, false, 0));
    expect(host.types(3)).toEqual(['welcome']);
    expect(host.types(2)).toEqual(['welcome', 'peer-leave', 'grant', 'peer-join']);
    expect(host.granted()).toEqual([2]);
  });

  it('under another token is refused while the old connection is alive, or comes back', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n1', { token: 'new' });
    host.perform(host.rooms.probed(1, true, 0));
    expect(host.last(2)).toMatchObject({ type: 'error', code: 'identity-in-use', retryAfterMs: null });
    expect(host.granted()).toEqual([1]);
    host.hello(3, 'n1', { token: 'new' });
    host.hello(4, 'n1');
    expect(host.last(3)).toMatchObject({ type: 'error', code: 'identity-in-use' });
    host.perform(host.rooms.probed(1, false, 0));
    expect(host.granted()).toEqual([4]);
  });

  it('under another token enters at once when the old connection closes or breaks meanwhile', () => {
    for (const broken of [false, true]) {
      const host = new Host();
      host.hello(1, 'n1');
      host.hello(2, 'n1', { token: 'new' });
      host.leave(1, broken);
      expect(host.types(2)).toEqual(['welcome', 'grant']);
      host.perform(host.rooms.probed(1, false, 0));
      expect(host.types(2)).toEqual(['welcome', 'grant']);
    }
  });

  it('is contended by one newcomer at a time, and by none that has left again', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n1', { token: 'second' });
    host.hello(3, 'n1', { token: 'third' });
    expect(host.last(3)).toMatchObject({ code: 'identity-in-use', retryAfterMs: 5_000 });
    host.leave(2);
    host.perform(host.rooms.probed(1, false, 0));
    expect(host.rooms.counts()).toMatchObject({ members: 1 });
  });
});

describe('rooms', () => {
  it('hand signals to one peer, and say truly who it is from', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.say(1, { type: 'signal', to: 'n2', data: { sdp: 'x' } });
    expect(host.last(2)).toEqual({ type: 'signal', from: 'n1', data: { sdp: 'x' } });
    expect(host.types(1)).not.toContain('signal');
  });

  it('are apart: neither roster nor signals cross', () => {
    const host = new Host();
    host.hello(1, 'n1', { room: 'a' });
    host.hello(2, 'n2', { room: 'b' });
    host.say(1, { type: 'signal', to: 'n2', data: 1 });
    expect(host.last(1)).toMatchObject({ type: 'error', code: 'unknown-peer' });
    expect(host.types(2)).toEqual(['welcome', 'grant']);
    expect(host.told.get(2)?.[0]).toMatchObject({ peers: [] });
  });

  it('tell who comes and goes', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    expect(host.last(1)).toEqual({ type: 'peer-join', nodeId: 'n2' });
    expect(host.told.get(2)?.[0]).toMatchObject({ peers: ['n1'] });
    host.leave(2);
    expect(host.last(1)).toEqual({ type: 'peer-leave', nodeId: 'n2' });
  });

  it.each<readonly [string, ClientMessage, string]>([
    [
      'another version',
      { type: 'hello', version: 2, room: 'r', nodeId: 'n', resume: null, clusterId: null, mayFound: true },
      'protocol-mismatch',
    ],
    [
      'a bad name',
      { type: 'hello', version: 1, room: '../r', nodeId: 'n', resume: null, clusterId: null, mayFound: true },
      'room-invalid',
    ],
    ['no hello', { type: 'signal', to: 'n', data: 1 }, 'message-invalid'],
    ['founding without hello', { type: 'founded', clusterId: 'c' }, 'message-invalid'],
  ])('refuse %s', (_what, message, code) => {
    const host = new Host();
    host.say(1, message);
    expect(host.last(1)).toMatchObject({ type: 'error', code });
    expect(host.closed.get(1)).toBe(code);
  });

  it('refuse a second hello, and have limits', () => {
    const host = new Host({ roomsMax: 1, roomMembersMax: 2 });
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.hello(3, 'n3');
    expect(host.last(3)).toMatchObject({ code: 'room-full' });
    host.hello(4, 'n4', { room: 'other' });
    expect(host.last(4)).toMatchObject({ code: 'busy' });
    host.hello(2, 'n2');
    expect(host.last(2)).toMatchObject({ code: 'message-invalid' });
    host.hello(5, 'n3');
    expect(host.types(5)).toEqual(['welcome']);
  });

  it('are known by any opaque key: a hash of a secret, as base64url', () => {
    const host = new Host();
    host.hello(1, 'n1', { room: '-_8fLxhRkq0p2sVhyRmYcXo3W1uA5eZtB7nJdGgQxE4' });
    expect(host.granted()).toEqual([1]);
  });

  it('finding S4, that are remembered are never forgotten to make room: strangers are refused instead', () => {
    const clusters = [
      ['a', 'c1'],
      ['b', 'c2'],
    ] as const;
    const host = new Host({ clustersRememberedMax: 2, clusters });
    host.hello(1, 'n1', { room: 'c' });
    expect(host.last(1)).toMatchObject({ code: 'busy' });
    host.hello(2, 'n2', { room: 'a' });
    expect(host.told.get(2)?.[0]).toMatchObject({ type: 'welcome', clusterId: 'c1' });
    expect([...host.rooms.knownClusters()]).toEqual(clusters);
  });
});

/** Whatever happens, in whatever order. */
describe('always', () => {
  const id = fc.integer({ min: 1, max: 8 });
  const step = fc.oneof(
    fc.record({
      do: fc.constant('hello' as const),
      id,
      node: fc.integer({ min: 1, max: 4 }),
      token: fc.constantFrom('first', 'second', null),
      cluster: fc.constantFrom(undefined, undefined, undefined, 'c1', 'c2'),
    }),
    fc.record({ do: fc.constant('leave' as const), id, broken: fc.boolean() }),
    fc.record({ do: fc.constant('founded' as const), id }),
    fc.record({ do: fc.constant('joined' as const), id }),
    fc.record({ do: fc.constant('probed' as const), id, alive: fc.boolean() }),
    fc.record({ do: fc.constant('disk' as const), id, works: fc.boolean() }),
    fc.record({ do: fc.constant('wait' as const), id }),
  );

  /** The state of a room, written down and read again after every step: a host may sleep, or be another, in between. */
  function restored(host: Host): void {
    for (const state of host.rooms.states()) {
      const before = structuredClone(state);
      Object.assign(state, JSON.parse(JSON.stringify(state)));
      expect(state).toEqual(before);
    }
  }

  it('at most one member may found, none once the cluster is told, a room has one cluster, and only a founder names it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const host = new Host({ grantMs: 200, claimWaitMs: 100, resumeMs: 100 });
        /** Connections are used once: number of the slot, times how often it was used. */
        const used = new Map<number, number>();
        const connectionOf = (slot: number): number => slot * 1_000 + (used.get(slot) ?? 0);
        for (const s of steps) {
          const connection = connectionOf(s.id);
          if (s.do === 'hello') {
            used.set(s.id, (used.get(s.id) ?? 0) + 1);
            host.hello(connectionOf(s.id), `n${s.node}`, {
              token: s.token,
              ...(s.cluster === undefined ? {} : { cluster: s.cluster }),
            });
          } else if (s.do === 'disk') host.disk = s.works ? 'works' : 'fails';
          else if (s.do === 'wait') host.wait(60);
          else if (host.closed.has(connection)) continue;
          else if (s.do === 'leave') host.leave(connection, s.broken);
          else if (s.do === 'founded') host.say(connection, { type: 'founded', clusterId: `f${connection}` });
          else if (s.do === 'joined') host.say(connection, { type: 'joined', clusterId: 'c1' });
          else host.perform(host.rooms.probed(connection, s.alive, host.nowMs));
          restored(host);
          const known = [...host.rooms.knownClusters()];
          const told = new Set([...host.told.values()].flat().flatMap((m) => (m.type === 'cluster' ? [m.clusterId] : [])));
          expect(told.size).toBeLessThanOrEqual(1);
          expect(known.length).toBeLessThanOrEqual(1);
          for (const clusterId of told) expect(known).toEqual([['r', clusterId]]);
          expect(new Set(host.remembered).size).toBeLessThanOrEqual(1);
          expect(host.remembered.every((one) => one.startsWith('r=f'))).toBe(true);
          expect(host.rooms.counts().members).toBeLessThanOrEqual(4);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('somebody may found before long, whoever leaves, as long as one that wants to is there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const host = new Host({ grantMs: 200, claimWaitMs: 100, resumeMs: 100 });
        let next = 1;
        for (const s of steps) {
          if (s.do === 'hello')
            host.hello(next++, `n${s.node}`, { token: s.token, ...(s.cluster ? { cluster: s.cluster } : {}) });
          else if (s.do === 'leave' && s.id < next && !host.closed.has(s.id)) host.leave(s.id, s.broken);
          else if (s.do === 'wait') host.wait(60);
        }
        host.hello(next, 'willing', { token: 'willing' });
        for (let i = 0; i < 8 * 5 && host.granted().length === 0; i++) host.wait(60);
        expect(host.granted().length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });
});
