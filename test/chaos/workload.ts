/** One client, beside its node: one call at a time, on keys that everybody uses, until the node ends. */
import type { RaftError, RaftNode } from '../../src/index.ts';
import { Prng } from '../../src/testing/prng.ts';
import { type Machine, readKey, type Store } from './machine.ts';
import { now, type Tell } from './notes.ts';

export type ChaosNode = RaftNode<Store, Machine['commands'], Record<never, never>>;

/** Keys are new every so often, so that each is checked by itself and stays short: ms. */
const AGE_MS = 5_000;
const CALL_TIMEOUT_MS = 4_000;
const PAUSE_MS = [20, 90] as const;
const STATUS_EVERY_MS = 250;

interface Call {
  readonly key: string;
  readonly kind: string;
  readonly input: unknown;
  go(): Promise<unknown>;
}

export class Client {
  readonly #node: ChaosNode;
  readonly #tell: Tell;
  readonly #random: Prng;
  #calls = 0;
  #over = false;

  constructor(node: ChaosNode, tell: Tell, seed: string) {
    this.#node = node;
    this.#tell = tell;
    this.#random = new Prng(seed);
  }

  /** Tells how its node stands, and calls. Resolves when the node has ended. */
  async run(): Promise<void> {
    const node = this.#node;
    const at = (): number => now();
    node.on('role', ({ to, term }) => void (to === 'leader' && this.#tell({ t: 'leads', at: at(), term })));
    node.on('leader', ({ leaderId, term }) => void this.#tell({ t: 'follows', at: at(), term, leader: leaderId }));
    node.on('fatal', ({ error }) => this.#end(`${error.code}: ${error.message}`));
    node.on('removed', () => this.#end('removed'));
    if (node.role === 'leader') void this.#tell({ t: 'leads', at: at(), term: node.term });
    const timer = setInterval(() => this.#status(), STATUS_EVERY_MS);
    this.#status();
    await node.ready.catch(() => undefined);
    while (!this.#over) {
      await this.#one();
      await new Promise((resolve) => setTimeout(resolve, this.#random.span(...PAUSE_MS)));
    }
    clearInterval(timer);
  }

  #end(why: string): void {
    if (this.#over) return;
    this.#over = true;
    void this.#tell({ t: 'ended', at: now(), why });
  }

  #status(): void {
    const { clusterId: cluster, role, term, suffrage, failureTolerance: tolerance, leaderId: leader } = this.#node.status;
    const { voters, members } = this.#node.config;
    const stands = { cluster, role, term, suffrage, voters, members: members.length, tolerance, leader };
    void this.#tell({ t: 'status', at: now(), ...stands });
  }

  /** The call is told before it is made: who dies in between has not made it, and nobody can see what was never told. */
  async #one(): Promise<void> {
    this.#calls += 1;
    const id = this.#calls;
    const { key, kind, input, go } = this.#choose();
    await this.#tell({ t: 'call', id, key, kind, input, start: now() });
    try {
      const result = await go();
      await this.#tell({ t: 'answer', id, end: now(), outcome: 'ok', result: result ?? null });
    } catch (error) {
      const outcome = (error as RaftError).mayHaveApplied === false ? 'no' : 'unknown';
      await this.#tell({ t: 'answer', id, end: now(), outcome, result: (error as RaftError).code });
    }
  }

  #choose(): Call {
    const age = Math.floor(now() / AGE_MS);
    const random = this.#random;
    const timeoutMs = CALL_TIMEOUT_MS;
    const value = `${this.#node.id.slice(0, 4)}.${this.#calls}.${random.below(1e6)}`;
    const key = random.pick([`x${age}`, `y${age}`, `list:${age}`, `list:${age}`, `counter:${age}`]);
    if (random.chance(0.4))
      return { key, kind: 'read', input: null, go: () => this.#node.read((store) => readKey(store, key), { timeoutMs }) };
    const propose = this.#node.propose.bind(this.#node);
    if (key.startsWith('list:'))
      return { key, kind: 'append', input: value, go: () => propose({ type: 'append', key, value }, { timeoutMs }) };
    if (key.startsWith('counter:')) {
      const by = random.between(1, 9);
      return { key, kind: 'add', input: by, go: () => propose({ type: 'add', key, by }, { timeoutMs }) };
    }
    if (random.chance(0.6))
      return { key, kind: 'write', input: value, go: () => propose({ type: 'write', key, value }, { timeoutMs }) };
    const expected = this.#node.peek((store) => store.registers[key] ?? null);
    return {
      key,
      kind: 'cas',
      input: [expected, value],
      go: () => propose({ type: 'cas', key, expected, next: value }, { timeoutMs }),
    };
  }
}
