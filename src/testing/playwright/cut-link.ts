/**
 * One RTCPeerConnection that can be cut: what is said while it is cut waits at its own end, as in a network that carries nothing, and
 * neither end is told. A link that was cut for longer than a real one bears is broken when it heals, one that was not goes on
 * without loss. Runs inside the page, from its own source text: it uses nothing of this module but itself.
 */
export class CutLink {
  /** As long as ICE takes to call a silent connection failed: ms. */
  static readonly PATIENCE_MS: number = 15_000;
  /** Chromium's own limit for what waits in a channel: bytes. More, and the link is broken when it heals. */
  static readonly HELD_BYTES_MAX: number = 16 * 1024 * 1024;
  static readonly MARK: string = 'a=x-tab:';

  /** The tab at the other end; empty until its description has come, or when it carries no name. */
  remote = '';
  readonly #connection: RTCPeerConnection;
  readonly #isCut: (remote: string) => boolean;
  readonly #channels = new Set<RTCDataChannel>();
  #held: (() => void)[] = [];
  #heldBytes = 0;
  #sinceMs: number | undefined;
  #broken = false;
  #over = false;

  constructor(connection: RTCPeerConnection, own: string, isCut: (remote: string) => boolean) {
    this.#connection = connection;
    this.#isCut = isCut;
    for (const type of ['iceconnectionstatechange', 'connectionstatechange'])
      CutLink.listenFirst(connection, type, (event) => this.#holdEvent(connection, event));
    CutLink.listenFirst(connection, 'datachannel', (event) => this.#adopt((event as RTCDataChannelEvent).channel));
    this.#nameOwnDescription(own);
    this.#readTheirs();
    this.#holdCandidates();
    this.#noteChannels();
    this.#noteClose();
  }

  get over(): boolean {
    return this.#over;
  }

  /** Called whenever what is cut has changed. */
  look(): void {
    const isCut = this.#isCut(this.remote);
    if (isCut) this.#sinceMs ??= performance.now();
    else if (this.#sinceMs !== undefined) this.#heal(performance.now() - this.#sinceMs);
  }

  #heal(cutMs: number): void {
    this.#sinceMs = undefined;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    if (cutMs > CutLink.PATIENCE_MS || this.#broken) {
      for (const channel of this.#channels) channel.close();
    } else for (const go of held) go();
  }

  get #holds(): boolean {
    if (this.#over || !this.#isCut(this.remote)) return false;
    this.#sinceMs ??= performance.now();
    return true;
  }

  #hold(bytes: number, go: () => void): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes > CutLink.HELD_BYTES_MAX) {
      this.#broken = true;
      this.#held = [];
    } else if (!this.#broken) this.#held.push(go);
  }

  #holdEvent(target: EventTarget, event: Event): void {
    if (!this.#holds) return;
    event.stopImmediatePropagation();
    this.#hold(0, () => target.dispatchEvent(new Event(event.type)));
  }

  #nameOwnDescription(own: string): void {
    const connection = this.#connection;
    const prototype = Object.getPrototypeOf(connection) as object;
    Object.defineProperty(connection, 'localDescription', {
      configurable: true,
      get: () => {
        const given = Reflect.get(prototype, 'localDescription', connection) as RTCSessionDescription | null;
        if (!given?.sdp) return given;
        const named = { type: given.type, sdp: `${given.sdp}${CutLink.MARK}${own}\r\n` };
        return { ...named, toJSON: () => named };
      },
    });
  }

  #readTheirs(): void {
    const connection = this.#connection;
    const set = connection.setRemoteDescription.bind(connection);
    connection.setRemoteDescription = (description: RTCSessionDescriptionInit) => {
      const kept: string[] = [];
      for (const line of (description.sdp ?? '').split('\r\n')) {
        if (line.startsWith(CutLink.MARK)) this.remote = line.slice(CutLink.MARK.length);
        else kept.push(line);
      }
      const candidates = this.#holds ? kept.filter((line) => line.startsWith('a=candidate:')) : [];
      for (const line of candidates)
        this.#hold(line.length, () => void connection.addIceCandidate({ candidate: line.slice(2), sdpMLineIndex: 0 }));
      return set({ type: description.type, sdp: kept.filter((line) => !candidates.includes(line)).join('\r\n') });
    };
  }

  #holdCandidates(): void {
    const connection = this.#connection;
    const add = connection.addIceCandidate.bind(connection);
    connection.addIceCandidate = (candidate?: RTCIceCandidateInit | null) => {
      if (!this.#holds) return add(candidate);
      this.#hold(candidate?.candidate?.length ?? 0, () => void add(candidate).catch(() => undefined));
      return Promise.resolve();
    };
  }

  #noteChannels(): void {
    const connection = this.#connection;
    const create = connection.createDataChannel.bind(connection);
    connection.createDataChannel = (label: string, options?: RTCDataChannelInit) => {
      const channel = create(label, options);
      this.#adopt(channel);
      return channel;
    };
  }

  #noteClose(): void {
    const connection = this.#connection;
    const close = connection.close.bind(connection);
    connection.close = () => {
      this.#over = true;
      this.#held = [];
      close();
    };
  }

  #adopt(channel: RTCDataChannel): void {
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    let isClosing = false;
    for (const type of ['closing', 'close', 'error'])
      CutLink.listenFirst(channel, type, (event) => {
        isClosing = true;
        this.#holdEvent(channel, event);
      });
    CutLink.listenFirst(channel, 'message', (event) => {
      if (!this.#holds) return;
      event.stopImmediatePropagation();
      const { data } = event as MessageEvent<unknown>;
      this.#hold(CutLink.sizeOf(data), () => channel.dispatchEvent(new MessageEvent('message', { data })));
    });
    const prototype = Object.getPrototypeOf(channel) as object;
    const native = <T>(name: string): T => Reflect.get(prototype, name, channel) as T;
    const send = native<(data: unknown) => void>('send').bind(channel);
    const close = native<() => void>('close').bind(channel);
    Object.defineProperties(channel, {
      send: {
        value: (data: unknown) => {
          if (!this.#holds || native('readyState') !== 'open') return send(data);
          const copy = CutLink.copyOf(data);
          this.#hold(CutLink.sizeOf(data), () => native('readyState') === 'open' && send(copy));
        },
      },
      // What this end closes is closed; what the other end closed is not known here while it is cut.
      close: { value: () => close() },
      readyState: { get: () => (isClosing && this.#holds ? 'open' : native('readyState')) },
      bufferedAmount: { get: () => native<number>('bufferedAmount') + this.#heldBytes },
    });
  }

  /**
   * Before whatever the page listens with: what is held does not reach it. Where `onmessage` and its kin are plain fields (in Node), somebody
   * before us calls them: they are made into listeners.
   */
  static listenFirst(target: EventTarget, type: string, listener: (event: Event) => void): void {
    target.addEventListener(type, listener);
    if (!Object.hasOwn(target, `on${type}`)) return;
    let own = Reflect.get(target, `on${type}`) as ((event: Event) => void) | null;
    target.addEventListener(type, (event) => own?.call(target, event));
    Object.defineProperty(target, `on${type}`, {
      get: () => null,
      set: (given: typeof own) => {
        own = given;
      },
    });
  }

  static sizeOf(data: unknown): number {
    if (typeof data === 'string') return data.length;
    return (data as { readonly byteLength?: number; readonly size?: number }).byteLength ?? (data as Blob).size ?? 0;
  }

  /** The page may use its buffer again: what waits is a copy. */
  static copyOf(data: unknown): unknown {
    if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
    return data instanceof ArrayBuffer ? data.slice(0) : data;
  }
}
