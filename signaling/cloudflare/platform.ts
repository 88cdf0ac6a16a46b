/** The parts of Cloudflare's platform that are used, as types: https://developers.cloudflare.com/durable-objects/. */

export interface ServerSocket {
  readonly readyState: number;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** At most 2 KiB, kept while the object sleeps. */
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

export interface ObjectContext {
  readonly storage: {
    readonly sql: {
      exec(
        query: string,
        ...values: readonly (string | number | ArrayBuffer | null)[]
      ): { toArray(): readonly Readonly<Record<string, unknown>>[]; readonly rowsWritten: number };
      readonly databaseSize: number;
    };
    transactionSync(work: () => void): void;
    /** Resolves when everything that was written before is durable. */
    sync(): Promise<void>;
    setAlarm(atMs: number): void | Promise<void>;
    getAlarm(): Promise<number | null>;
  };
  acceptWebSocket(socket: ServerSocket, tags?: readonly string[]): void;
  getWebSockets(): readonly ServerSocket[];
  setWebSocketAutoResponse(pair: unknown): void;
  /** When a ping of this socket was last answered without waking the object. */
  getWebSocketAutoResponseTimestamp(socket: ServerSocket): Date | null;
}

export interface Environment {
  readonly ROOMS: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
  /** Pages that may connect, as origins, or *. Default: those of this very host. */
  readonly ORIGINS?: string;
  readonly STUN?: string;
  readonly TURN?: string;
  readonly TURN_SECRET?: string;
  readonly TURN_SECONDS?: string;
  /** `off`: no frames through here. */
  readonly RELAY?: string;
  /** Links of the rooms that this deployment keeps, apart by spaces, commas or line ends: a secret. */
  readonly KEEPER?: string;
}

interface Globals {
  readonly WebSocketPair: new () => { readonly 0: unknown; readonly 1: ServerSocket };
  readonly WebSocketRequestResponsePair: new (request: string, response: string) => unknown;
}

/** What only the platform has. */
export const platform: Globals = globalThis as unknown as Globals;

/** The answer to an upgrade: the client's end of the pair goes along with it. */
export function upgraded(client: unknown): Response {
  return new Response(null, { status: 101, webSocket: client } as ResponseInit);
}
