/** Asking a witness, without depending on it. */
import { RaftError } from '../core/errors.ts';
import type { BootWitness, WitnessedIdentity } from './storage.ts';

/** How long opening waits for a witness before it goes on without: one that hangs must not keep a node from its room. */
export const WITNESS_WAIT_MS = 2_000;

/** undefined when the witness knows nothing, fails, hangs or talks nonsense. */
export async function witnessedBoots(
  witness: BootWitness | undefined,
  identity: WitnessedIdentity,
  waitMs: number = WITNESS_WAIT_MS,
): Promise<number | undefined> {
  if (witness === undefined) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  try {
    const count = await Promise.race([Promise.resolve(witness.read(identity)), deadline]);
    return Number.isSafeInteger(count) ? count : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Errors: corrupt (the store is an older copy of itself). `bootCount`: openings that the store knows of. */
export function requireNoRollback(bootCount: number, witnessed: number | undefined): void {
  if (witnessed === undefined || witnessed <= bootCount) return;
  throw new RaftError(
    'corrupt',
    `An older copy of this store has come back: it was opened ${witnessed} times, this copy knows of ${bootCount}. ` +
      'What it has voted and acknowledged since is missing, so that it must not take part under its old identity.',
  );
}

/** Told in the background: losing it only makes the witness know less. */
export function tellWitness(witness: BootWitness | undefined, identity: WitnessedIdentity, bootCount: number): void {
  attempt(() => witness?.write(identity, bootCount));
}

export function forgetWitnessed(witness: BootWitness | undefined, identity: WitnessedIdentity): void {
  attempt(() => witness?.forget(identity));
}

function attempt(work: () => Promise<void> | undefined): void {
  try {
    Promise.resolve(work()).catch(() => undefined);
  } catch {
    // A witness that throws is one that cannot help.
  }
}

/** Identities one origin's witness remembers: the least recently opened go first. */
export const WITNESSED_IDENTITIES_MAX = 64;
/** The part of localStorage that is used. */
export type WebStorage = Pick<Storage, 'getItem' | 'setItem'>;
const WEB_STORAGE_KEY = 'tabraft:boots';

/** A witness in localStorage (given by the front door: it is the page's), which browsers keep apart from their databases. */
export class WebStorageWitness implements BootWitness {
  readonly #storage: WebStorage;

  constructor(storage: WebStorage) {
    this.#storage = storage;
  }

  async read(identity: WitnessedIdentity): Promise<number | undefined> {
    return this.#all().find(([key]) => key === keyOf(identity))?.[1];
  }

  async write(identity: WitnessedIdentity, bootCount: number): Promise<void> {
    const others = this.#all().filter(([key]) => key !== keyOf(identity));
    const kept = others.slice(Math.max(0, others.length + 1 - WITNESSED_IDENTITIES_MAX));
    this.#keep([...kept, [keyOf(identity), bootCount]]);
  }

  async forget(identity: WitnessedIdentity): Promise<void> {
    this.#keep(this.#all().filter(([key]) => key !== keyOf(identity)));
  }

  #keep(all: readonly (readonly [string, number])[]): void {
    this.#storage.setItem(WEB_STORAGE_KEY, JSON.stringify(all));
  }

  /** Least recently opened first. What is not ours, or damaged, counts for nothing. */
  #all(): (readonly [string, number])[] {
    const stored: unknown = JSON.parse(this.#storage.getItem(WEB_STORAGE_KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter(isPair) : [];
  }
}

function isPair(value: unknown): value is readonly [string, number] {
  return Array.isArray(value) && typeof value[0] === 'string' && Number.isSafeInteger(value[1]);
}

function keyOf({ room, nodeId }: WitnessedIdentity): string {
  return `${encodeURIComponent(room)}:${nodeId}`;
}
