/** A connection that begins and ends within the object: the keeper's to the room that it keeps. */
import type { WebSocketLike } from '../../src/signaling/client.ts';
import type { ServerSocket } from './platform.ts';

interface RoomEnd {
  onMessage(socket: ServerSocket, data: string | ArrayBuffer): void;
  onClose(socket: ServerSocket, code: number): void;
}

const OPEN = 1;
const CLOSED = 3;

/** Both ends speak to each other in turns of their own, as over a network; what is sent is taken at once, so nothing piles up. */
export class LocalSocket implements ServerSocket {
  readonly client: WebSocketLike;
  readonly #room: RoomEnd;
  #isOpen = true;
  #attachment: unknown = null;

  constructor(room: RoomEnd) {
    this.#room = room;
    this.client = {
      bufferedAmount: 0,
      binaryType: 'arraybuffer',
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send: (data) => {
        const said = typeof data === 'string' ? data : data.slice().buffer;
        this.#soon(() => this.#room.onMessage(this, said));
      },
      close: (code = 1000) => this.#end(() => this.#room.onClose(this, code)),
    };
    this.#soon(() => this.client.onopen?.({} as never));
  }

  get readyState(): number {
    return this.#isOpen ? OPEN : CLOSED;
  }

  send(data: string | Uint8Array): void {
    const said = typeof data === 'string' ? data : data.slice().buffer;
    this.#soon(() => this.client.onmessage?.({ data: said } as never));
  }

  close(code = 1000): void {
    this.#end(() => this.client.onclose?.({ code } as never));
  }

  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }

  /** Not when the connection has ended meanwhile. */
  #soon(run: () => void): void {
    queueMicrotask(() => {
      if (this.#isOpen) run();
    });
  }

  #end(tell: () => void): void {
    if (!this.#isOpen) return;
    queueMicrotask(() => {
      if (!this.#isOpen) return;
      this.#isOpen = false;
      tell();
    });
  }
}
