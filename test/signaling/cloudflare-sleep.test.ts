/** An object that sleeps between any two messages is the same to its clients as one that does not. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { Environment, ObjectContext, ServerSocket } from '../../signaling/cloudflare/platform.ts';
import { RoomObject } from '../../signaling/cloudflare/room-object.ts';
import type { ClientMessage } from '../../src/signaling/protocol.ts';

class Socket implements ServerSocket {
  readonly readyState = 1;
  readonly heard: { readonly type: string; readonly [field: string]: unknown }[] = [];
  closedWith: number | undefined;
  pinged: Date | null = null;
  #attachment: unknown = null;
  send(data: string | Uint8Array): void {
    this.heard.push(typeof data === 'string' ? JSON.parse(data) : { type: 'frame', bytes: [...data] });
  }
  close(code?: number): void {
    this.closedWith = code;
  }
  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }
  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }
  types(): readonly string[] {
    return this.heard.map(({ type }) => type);
  }
}

/** What stays while an object sleeps: its rows, its sockets, its alarm. */
class Platform {
  readonly rows = new Map<string, string>();
  sockets: Socket[] = [];
  alarmMs = 0;
  writes = 0;
  #object: RoomObject | undefined;
  #next: Socket | undefined;

  constructor() {
    const next = (): Socket => {
      this.#next = new Socket();
      return this.#next;
    };
    Object.assign(globalThis, {
      WebSocketPair: class {
        readonly 0 = {};
        readonly 1 = next();
      },
      WebSocketRequestResponsePair: class {},
    });
  }

  /** It has slept: nothing is left of it but what the platform keeps. */
  get object(): RoomObject {
    this.#object = new RoomObject(this.#context(), {} as Environment);
    return this.#object;
  }

  async connect(): Promise<Socket> {
    // A Response of status 101 is the platform's own.
    await this.object.fetch(new Request('http://rooms/signal?room=room')).catch(() => {});
    const socket = this.#next ?? this.#missing();
    return socket;
  }

  say(socket: Socket, message: ClientMessage): void {
    this.object.webSocketMessage(socket, JSON.stringify(message));
  }

  async enter(nodeId: string, more: Partial<Extract<ClientMessage, { type: 'hello' }>> = {}): Promise<Socket> {
    const socket = await this.connect();
    const resume = `resume-token-of-${nodeId}-and-more`;
    this.say(socket, { type: 'hello', version: 1, room: 'room', nodeId, resume, clusterId: null, mayFound: true, ...more });
    return socket;
  }

  end(socket: Socket, code: number): void {
    this.sockets = this.sockets.filter((one) => one !== socket);
    this.object.webSocketClose(socket, code);
  }

  #context(): ObjectContext {
    return {
      storage: {
        sql: {
          exec: (query, ...values) => {
            const rows = this.#query(query, values);
            return { toArray: () => rows, rowsWritten: 0 };
          },
          databaseSize: 0,
        },
        transactionSync: (work) => work(),
        sync: async () => {},
        setAlarm: (atMs) => {
          this.alarmMs = atMs;
        },
        getAlarm: async () => this.alarmMs,
      },
      acceptWebSocket: (socket) => void this.sockets.push(socket as Socket),
      getWebSockets: () => this.sockets,
      setWebSocketAutoResponse: () => {},
      getWebSocketAutoResponseTimestamp: (socket) => (socket as Socket).pinged,
    };
  }

  #query(query: string, values: readonly unknown[]): readonly Readonly<Record<string, unknown>>[] {
    const [name, value] = values.map(String);
    if (query.startsWith('CREATE')) return [];
    if (name === undefined) throw new Error(query);
    if (query.startsWith('SELECT')) return this.rows.has(name) ? [{ value: this.rows.get(name) }] : [];
    this.writes++;
    if (query.startsWith('DELETE')) this.rows.delete(name);
    else this.rows.set(name, value ?? '');
    return [];
  }

  #missing(): never {
    throw new Error('no socket was accepted');
  }
}

let platform = new Platform();
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  platform = new Platform();
  return () => vi.useRealTimers();
});

test('members, grant, cluster and relay live through sleeps; signals and frames write nothing', async () => {
  const a = await platform.enter('a');
  expect(a.types()).toEqual(['welcome', 'grant']);
  const b = await platform.enter('b');
  expect(b.heard[0]).toMatchObject({ type: 'welcome', peers: ['a'], relay: true });
  platform.say(a, { type: 'founded', clusterId: 'c' });
  expect(b.heard.at(-1)).toEqual({ type: 'cluster', clusterId: 'c' });
  const { writes } = platform;
  platform.say(a, { type: 'signal', to: 'b', data: { offer: 1 } });
  expect(b.heard.at(-1)).toEqual({ type: 'signal', from: 'a', data: { offer: 1 } });
  platform.object.webSocketMessage(a, Uint8Array.of(1, 'b'.charCodeAt(0), 7).buffer);
  expect(b.heard.at(-1)).toEqual({ type: 'frame', bytes: [1, 'a'.charCodeAt(0), 7] });
  expect(platform.writes).toBe(writes);
});

test('who comes back under its token has its place; who does not has left when the alarm says so', async () => {
  const a = await platform.enter('a');
  const b = await platform.enter('b');
  platform.end(b, 1006);
  expect(a.types()).toEqual(['welcome', 'grant', 'peer-join']);
  const again = await platform.enter('b');
  expect(again.types()).toEqual(['welcome']);
  platform.end(again, 1006);
  vi.setSystemTime(Date.now() + 3_001);
  expect(platform.alarmMs).toBeLessThanOrEqual(Date.now());
  platform.object.alarm();
  expect(a.types()).toEqual(['welcome', 'grant', 'peer-join', 'peer-leave']);
});

test('an object that ended in the middle finds its sockets gone: their members may come back, and then have left', async () => {
  await platform.enter('a');
  const b = await platform.enter('b', { mayFound: false });
  platform.sockets = [b];
  const c = await platform.enter('c');
  expect(c.heard[0]).toMatchObject({ peers: ['a', 'b'] });
  vi.setSystemTime(Date.now() + 3_001);
  platform.object.alarm();
  expect(b.types()).toEqual(['welcome', 'peer-join', 'peer-leave']);
  expect(c.types()).toContain('grant');
});

test('an id that was heard of lately is not given away; one that was silent is, and a ping counts', async () => {
  const a = await platform.enter('a');
  const rival = await platform.enter('a', { resume: 'another-token-altogether-x' });
  expect(rival.heard[0]).toMatchObject({ type: 'error', code: 'identity-in-use' });
  vi.setSystemTime(Date.now() + 100_000);
  a.pinged = new Date(Date.now() - 20_000);
  const second = await platform.enter('a', { resume: 'another-token-altogether-y' });
  expect(second.heard[0]).toMatchObject({ code: 'identity-in-use' });
  vi.setSystemTime(Date.now() + 100_000);
  const heir = await platform.enter('a', { resume: 'another-token-altogether-z' });
  expect(heir.types()).toContain('welcome');
  expect(a.closedWith).toBe(4408);
});

test('who says nothing is closed; nothing wakes an object in whose room nothing waits', async () => {
  const mute = await platform.connect();
  vi.setSystemTime(Date.now() + 10_000);
  expect(platform.alarmMs).toBeLessThanOrEqual(Date.now());
  platform.object.alarm();
  expect(mute.closedWith).toBe(4408);
  platform.sockets = [];
  const a = await platform.enter('a');
  platform.say(a, { type: 'founded', clusterId: 'c' });
  platform.alarmMs = 0;
  const b = await platform.enter('b');
  platform.end(b, 1000);
  expect(a.types()).toEqual(['welcome', 'grant', 'cluster', 'peer-join', 'peer-leave']);
  platform.object.alarm();
  expect(platform.alarmMs).toBeLessThanOrEqual(Date.now() + 10_000);
  expect([...platform.rows.keys()].sort()).toEqual(['cluster', 'state']);
  platform.end(a, 1000);
  expect([...platform.rows.keys()]).toEqual(['cluster']);
});
