import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientMessage, ServerMessage } from '../../src/signaling/protocol.ts';
import { type Effect, Rooms, type RoomsOptions } from '../../src/signaling/rooms.ts';

/** A host that keeps what each connection was told. */
class Host {
  readonly rooms: Rooms;
  readonly told = new Map<number, ServerMessage[]>();
  readonly closed = new Map<number, string>();
  readonly probes: number[] = [];
  readonly remembered: string[] = [];
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
    more: { readonly room?: string; readonly boot?: string; readonly cluster?: string; readonly mayFound?: boolean } = {},
  ): void {
    const { room = 'r', boot = 'boot1', cluster = null, mayFound = true } = more;
    this.say(connection, { type: 'hello', version: 1, room, nodeId, bootNonce: boot, clusterId: cluster, mayFound });
  }

  leave(connection: number): void {
    this.closed.set(connection, 'left');
    this.perform(this.rooms.closed(connection, this.nowMs));
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.told.set(effect.connection, [...(this.told.get(effect.connection) ?? []), effect.message]);
      else if (effect.type === 'probe') this.probes.push(effect.connection);
      else if (effect.type === 'remember') this.remembered.push(`${effect.room}=${effect.clusterId}`);
      else {
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

  granted(): number[] {
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
    expect(host.told.get(3)).toEqual([{ type: 'welcome', version: 1, peers: [], clusterId: 'c1', iceServers: [] }]);
  });

  it('is not granted where the cluster is known from before, or from a member that comes back', () => {
    const before = new Host({ clusters: [['r', 'c1']] });
    before.hello(1, 'n1');
    expect(before.types(1)).toEqual(['welcome']);

    const back = new Host();
    back.hello(1, 'n1', { cluster: 'c1' });
    expect(back.types(1)).toEqual(['welcome', 'cluster']);
    expect(back.remembered).toEqual(['r=c1']);
    back.hello(2, 'n2');
    expect(back.types(2)).toEqual(['welcome']);
  });

  it('a member that comes back ends a grant that is out: the founder is told and refused', () => {
    const host = new Host();
    host.hello(1, 'stranger');
    host.hello(2, 'member', { cluster: 'c1' });
    expect(host.last(1)).toEqual({ type: 'cluster', clusterId: 'c1' });
    host.say(1, { type: 'founded', clusterId: 'c2' });
    expect(host.last(1)).toMatchObject({ type: 'error', code: 'cluster-mismatch' });
    expect(host.closed.get(1)).toBe('cluster-mismatch');
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
  it('of another cluster is refused', () => {
    const host = new Host({ clusters: [['r', 'c1']] });
    host.hello(1, 'n1', { cluster: 'c2' });
    expect(host.last(1)).toMatchObject({ type: 'error', code: 'cluster-mismatch' });
    expect(host.rooms.counts()).toMatchObject({ rooms: 0, members: 0 });
  });

  it('of the same boot replaces its old connection, unseen by others and with its grant', () => {
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

  it('of a new boot takes over when the old one does not answer', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n2');
    host.hello(3, 'n1', { boot: 'boot2' });
    expect([host.probes, host.types(3)]).toEqual([[1], []]);
    host.perform(host.rooms.probed(1, false, 0));
    expect(host.types(3)).toEqual(['welcome']);
    expect(host.types(2)).toEqual(['welcome', 'peer-leave', 'grant', 'peer-join']);
    expect(host.granted()).toEqual([2]);
  });

  it('of a new boot is refused while the old one is alive', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n1', { boot: 'boot2' });
    host.perform(host.rooms.probed(1, true, 0));
    expect(host.last(2)).toMatchObject({ type: 'error', code: 'identity-in-use', retryAfterMs: null });
    expect(host.granted()).toEqual([1]);
  });

  it('of a new boot enters at once when the old connection closes meanwhile', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n1', { boot: 'boot2' });
    host.leave(1);
    expect(host.types(2)).toEqual(['welcome', 'grant']);
    host.perform(host.rooms.probed(1, false, 0));
    expect(host.types(2)).toEqual(['welcome', 'grant']);
  });

  it('is contended by one newcomer at a time, and by none that has left again', () => {
    const host = new Host();
    host.hello(1, 'n1');
    host.hello(2, 'n1', { boot: 'boot2' });
    host.hello(3, 'n1', { boot: 'boot3' });
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
      { type: 'hello', version: 2, room: 'r', nodeId: 'n', bootNonce: 'b', clusterId: null, mayFound: true },
      'protocol-mismatch',
    ],
    [
      'a bad name',
      { type: 'hello', version: 1, room: '../r', nodeId: 'n', bootNonce: 'b', clusterId: null, mayFound: true },
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

  it('forget the room least recently entered when there are too many to remember', () => {
    const host = new Host({
      clustersRememberedMax: 2,
      clusters: [
        ['a', 'c1'],
        ['b', 'c2'],
      ],
    });
    host.hello(1, 'n1', { room: 'a' });
    host.hello(2, 'n2', { room: 'c', cluster: 'c3' });
    expect([...host.rooms.knownClusters()].map(([room]) => room)).toEqual(['a', 'c']);
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
      boot: fc.integer({ min: 1, max: 2 }),
      cluster: fc.constantFrom(undefined, undefined, undefined, 'c1', 'c2'),
    }),
    fc.record({ do: fc.constant('leave' as const), id }),
    fc.record({ do: fc.constant('founded' as const), id }),
    fc.record({ do: fc.constant('probed' as const), id, alive: fc.boolean() }),
    fc.record({ do: fc.constant('wait' as const), id }),
  );
  it('at most one member may found, none once the cluster is known, and a room has one cluster', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const host = new Host({ grantMs: 100 });
        /** Connections are used once: number of the slot, times how often it was used. */
        const used = new Map<number, number>();
        const connectionOf = (slot: number): number => slot * 1_000 + (used.get(slot) ?? 0);
        for (const s of steps) {
          const connection = connectionOf(s.id);
          if (s.do === 'hello') {
            used.set(s.id, (used.get(s.id) ?? 0) + 1);
            host.hello(connectionOf(s.id), `n${s.node}`, {
              boot: `b${s.boot}`,
              ...(s.cluster === undefined ? {} : { cluster: s.cluster }),
            });
          } else if (host.closed.has(connection)) continue;
          else if (s.do === 'leave') host.leave(connection);
          else if (s.do === 'founded') host.say(connection, { type: 'founded', clusterId: `f${connection}` });
          else if (s.do === 'probed') host.perform(host.rooms.probed(connection, s.alive, host.nowMs));
          else {
            host.nowMs += 60;
            host.perform(host.rooms.tick(host.nowMs));
          }
          const known = new Map(host.rooms.knownClusters());
          if (known.size === 0) expect(host.granted().length).toBeLessThanOrEqual(1);
          if (known.size === 0 && host.rooms.counts().members > 0) expect(host.granted().length).toBe(1);
          expect(host.remembered.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
