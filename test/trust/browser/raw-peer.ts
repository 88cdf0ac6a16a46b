/** A page without the library: a WebSocket to the signaling server, and connections of the browser's own. */

type Signal = { readonly instance: string; readonly session?: string; readonly dial?: true } & Partial<{
  readonly description: RTCSessionDescriptionInit;
  readonly candidate: RTCIceCandidateInit;
}>;

/** One connection to a node, as whoever it likes to be. */
export class RawPeer {
  /** What came over the channel, whole. */
  readonly heard: Uint8Array[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<void>;
  onFrame: (frame: Uint8Array) => void = () => undefined;
  readonly #send: (signal: Signal) => void;
  readonly #offers: boolean;
  readonly #instance = `raw-${Math.random().toString(36).slice(2)}`;
  #session = `try-${Math.random().toString(36).slice(2)}`;
  #connection: RTCPeerConnection | undefined;
  #channel: RTCDataChannel | undefined;
  #work: Promise<void> = Promise.resolve();
  #onOpen: () => void = () => undefined;
  #onClose: () => void = () => undefined;

  /** The node with the smaller id offers. */
  constructor(self: string, peer: string, send: (signal: Signal) => void) {
    this.#offers = self < peer;
    this.#send = send;
    this.opened = new Promise((resolve) => {
      this.#onOpen = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#onClose = resolve;
    });
  }

  dial(): void {
    if (!this.#offers) return this.#send({ instance: this.#instance, dial: true });
    const connection = this.#connect();
    this.#adopt(connection.createDataChannel('tabraft'));
    this.#then(async () => {
      await connection.setLocalDescription(await connection.createOffer());
      this.#describe(connection);
    });
  }

  hear(signal: Signal): void {
    const { session, description, candidate, dial } = signal;
    if (dial === true && this.#offers && this.#connection === undefined) return this.dial();
    this.#then(async () => {
      if (description?.type === 'offer' && !this.#offers) {
        this.#session = session ?? '';
        const connection = this.#connect();
        connection.ondatachannel = ({ channel }) => this.#adopt(channel);
        await connection.setRemoteDescription(description);
        await connection.setLocalDescription(await connection.createAnswer());
        this.#describe(connection);
      } else if (session === this.#session && description !== undefined) {
        await this.#connection?.setRemoteDescription(description);
      } else if (session === this.#session && candidate !== undefined) {
        await this.#connection?.addIceCandidate(candidate);
      }
    });
  }

  send(frame: Uint8Array): boolean {
    if (this.#channel?.readyState !== 'open') return false;
    this.#channel.send(frame as Uint8Array<ArrayBuffer>);
    return true;
  }

  close(): void {
    this.#connection?.close();
  }

  #connect(): RTCPeerConnection {
    this.#connection?.close();
    const connection = new RTCPeerConnection();
    this.#connection = connection;
    connection.onicecandidate = ({ candidate }) => {
      if (candidate === null) return;
      const { candidate: text, sdpMid, sdpMLineIndex } = candidate;
      this.#send({ instance: this.#instance, session: this.#session, candidate: { candidate: text, sdpMid, sdpMLineIndex } });
    };
    return connection;
  }

  #describe({ localDescription }: RTCPeerConnection): void {
    if (localDescription === null) return;
    const { type, sdp } = localDescription;
    this.#send({ instance: this.#instance, session: this.#session, description: { type, sdp } });
  }

  #adopt(channel: RTCDataChannel): void {
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => this.#onOpen();
    channel.onclose = () => this.#onClose();
    channel.onmessage = ({ data }) => {
      const frame = new Uint8Array(data as ArrayBuffer);
      this.heard.push(frame);
      this.onFrame(frame);
    };
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch(() => undefined);
  }
}

/** A place in a room of the honest signaling server: whoever knows where the room is can have one. */
export class Place {
  readonly #socket: WebSocket;
  readonly #listeners = new Set<(from: string, data: unknown) => void>();
  peers: readonly string[] = [];
  readonly entered: Promise<void>;

  constructor(url: string, room: string, nodeId: string) {
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () =>
      this.#say({ type: 'hello', version: 1, room, nodeId, resume: null, clusterId: null, mayFound: false });
    this.entered = new Promise((resolve, reject) => {
      this.#socket.onmessage = ({ data }) => {
        const message = JSON.parse(String(data)) as Record<string, unknown>;
        if (message['type'] === 'welcome') {
          this.peers = message['peers'] as string[];
          resolve();
        }
        if (message['type'] === 'error') reject(new Error(String(message['message'])));
        if (message['type'] === 'signal') for (const hear of this.#listeners) hear(String(message['from']), message['data']);
      };
    });
  }

  listen(hear: (from: string, data: unknown) => void): void {
    this.#listeners.add(hear);
  }

  signal(to: string, data: unknown): boolean {
    this.#say({ type: 'signal', to, data });
    return true;
  }

  leave(): void {
    this.#socket.close();
  }

  #say(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}

/** An open channel to a node, as `self`. */
export async function connected(place: Place, self: string, peer: string): Promise<RawPeer> {
  const raw = new RawPeer(self, peer, (signal) => place.signal(peer, signal));
  place.listen((from, data) => {
    if (from === peer) raw.hear(data as Signal);
  });
  raw.dial();
  await raw.opened;
  return raw;
}
