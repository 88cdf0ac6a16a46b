/** What a case of the transport suite works with: nodes that find each other, and waiting on what they see. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Discovery, Lane, LinkState, Transport } from '../../transport/transport.ts';

export type TransportCaseBody = (room: SuiteRoom) => Promise<void>;
type Listener = Parameters<Discovery['listen']>[0];

/** One node: its adapter, and all that the adapter has told it. */
export class SuiteNode {
  readonly id: NodeId;
  readonly transport: Transport;
  readonly received: { readonly from: NodeId; readonly bytes: Uint8Array }[] = [];
  readonly changes: { readonly peer: NodeId; readonly state: LinkState }[] = [];
  readonly faults: RaftError[] = [];
  listener: Listener | undefined;

  constructor(id: NodeId, transport: Transport) {
    this.id = id;
    this.transport = transport;
  }

  stateOf(peer: NodeId): LinkState | undefined {
    return this.changes.findLast((change) => change.peer === peer)?.state;
  }

  opened(peer: NodeId): number {
    return this.changes.filter((change) => change.peer === peer && change.state === 'open').length;
  }

  from(peer: NodeId): Uint8Array[] {
    return this.received.filter((message) => message.from === peer).map((message) => message.bytes);
  }
}

/** Suites run at once in several places; ids must not meet. */
let nodesMade = 0;

/** Where nodes and their adapters come from. */
export interface MadeBy {
  create(id: NodeId): Transport;
  readonly newId?: (() => Promise<NodeId>) | undefined;
}

export class SuiteRoom {
  readonly nodes: SuiteNode[] = [];
  readonly #made: MadeBy;
  readonly #timeoutMs: number;
  readonly #present = new Set<NodeId>();
  readonly #waiting = new Set<() => void>();

  constructor(made: MadeBy, timeoutMs: number) {
    this.#made = made;
    this.#timeoutMs = timeoutMs;
  }

  /** Starts a node and announces it to the others. */
  async join(): Promise<SuiteNode> {
    const { newId } = this.#made;
    if (newId !== undefined) return this.#start(await newId());
    return this.#start(`node-${String(nodesMade++).padStart(4, '0')}-${Math.random().toString(36).slice(2)}`);
  }

  /** The same id, started anew: a reload. */
  rejoin(node: SuiteNode): Promise<SuiteNode> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.#present.delete(node.id);
    this.#announce();
    return this.#start(node.id);
  }

  async #start(id: NodeId): Promise<SuiteNode> {
    const node = new SuiteNode(id, this.#made.create(id));
    this.nodes.push(node);
    const handlers = {
      onMessage: (from: NodeId, bytes: Uint8Array): void => {
        node.received.push({ from, bytes });
        this.#changed();
      },
      onLink: (peer: NodeId, state: LinkState): void => {
        node.changes.push({ peer, state });
        this.#changed();
      },
      onFault: (error: RaftError): void => {
        node.faults.push(error);
        this.#changed();
      },
    };
    await node.transport.start(node.id, handlers, {
      listen: (listener) => {
        node.listener = listener;
      },
      signal: (to, data) => this.#signal(node.id, to, data),
    });
    this.#present.add(node.id);
    this.#announce();
    return node;
  }

  /** A number of nodes, all linked with each other. */
  async linked(count: number): Promise<SuiteNode[]> {
    const nodes: SuiteNode[] = [];
    for (let i = 0; i < count; i++) nodes.push(await this.join());
    for (const node of nodes) for (const other of nodes) if (node !== other) await this.open(node, other);
    return nodes;
  }

  open(node: SuiteNode, peer: SuiteNode): Promise<void> {
    return this.until(`${node.id} is linked with ${peer.id}`, () => node.stateOf(peer.id) === 'open');
  }

  /** Signaling no longer sees a node: a hint, nothing more. */
  hide(node: SuiteNode): void {
    this.#present.delete(node.id);
    this.#announce();
  }

  /** Hands data to a node as if a peer had sent it through signaling. */
  forge(from: NodeId, to: SuiteNode, data: unknown): void {
    to.listener?.onSignal(from, data);
  }

  /** Waits until something holds, checked whenever a node has been told something. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let look = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        look = () => (holds() ? resolve() : undefined);
        this.#waiting.add(look);
        timer = setTimeout(
          () => reject(new Error(`within ${this.#timeoutMs} ms not: ${what}; ${this.#describe()}`)),
          this.#timeoutMs,
        );
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** Sends as soon as the link takes it. */
  async send(node: SuiteNode, peer: SuiteNode, bytes: Uint8Array, lane: Lane): Promise<void> {
    const before = performance.now();
    while (!node.transport.send(peer.id, bytes, lane)) {
      if (performance.now() - before > this.#timeoutMs) throw new Error(`${node.id} could not send; ${this.#describe()}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.transport.stop()));
  }

  #signal(from: NodeId, to: NodeId, data: unknown): boolean {
    const target = this.nodes.find((node) => node.id === to);
    if (target === undefined) return false;
    const copy: unknown = JSON.parse(JSON.stringify(data));
    setTimeout(() => target.listener?.onSignal(from, copy), 0);
    return true;
  }

  #announce(): void {
    for (const node of this.nodes) {
      if (this.#present.has(node.id)) node.listener?.onPeers([...this.#present].filter((id) => id !== node.id));
    }
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  #describe(): string {
    return JSON.stringify(
      this.nodes.map(({ id, changes, received, faults, transport }) => ({
        id,
        changes,
        received: received.length,
        faults: faults.map(String),
        links: transport.links().map(({ peer, state, error }) => [peer, state, error?.message]),
      })),
    );
  }
}

/** Bytes that tell their number and their length apart from others. */
export function numbered(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, 4)).fill(number % 251);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

export function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
