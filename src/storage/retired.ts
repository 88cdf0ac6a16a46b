/**
 * A store whose node must not take part again under its identity: the cluster went on in a later epoch, or found that it has lost
 * what it had acknowledged. It is kept, for whoever wants to look or to recover from it, and its device joins as a new node.
 */
import type { LoadedState, NodeStore } from './storage.ts';

/** The small record that says so. */
export const RETIRED_RECORD = 'retired';

/** Resolves when it is durable. Errors: storage, quota. */
export function retire(store: NodeStore, why: string): Promise<void> {
  return store.write({ putRecords: [[RETIRED_RECORD, new TextEncoder().encode(why)]] });
}

/** Why, or undefined when it is not. */
export function retiredBecause({ records }: Pick<LoadedState, 'records'>): string | undefined {
  const record = records.get(RETIRED_RECORD);
  return record === undefined ? undefined : new TextDecoder().decode(record);
}
