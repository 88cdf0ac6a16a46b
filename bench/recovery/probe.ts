/** Runs in a tab that is measured: writes without a pause, or reads, and keeps when each was answered. */
import type { Tab } from '../../src/testing/playwright/index.ts';
import type { ChaosNode } from '../../test/chaos/workload.ts';

interface Probed {
  readonly chaosNode?: ChaosNode;
  acks?: number[];
  reads?: { readonly start: number; readonly sum: number }[];
  probing?: boolean;
}

export interface Acknowledged {
  readonly at: number;
  readonly sum: number;
}

/** Writes one after the other until told to stop; the times (ms since the epoch) at which each was acknowledged. */
export async function startWriting(tab: Tab): Promise<void> {
  await tab.page.evaluate(() => {
    const scope = globalThis as Probed;
    scope.acks = [];
    scope.probing = true;
    const next = async (): Promise<void> => {
      try {
        await scope.chaosNode?.propose({ type: 'add', key: 'counter:probe', by: 1 }, { timeoutMs: 30_000 });
        scope.acks?.push(Date.now());
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (scope.probing) return next();
    };
    void next();
  });
}

export async function stopWriting(tab: Tab): Promise<readonly number[]> {
  return tab.page.evaluate(() => {
    const scope = globalThis as Probed;
    scope.probing = false;
    return scope.acks ?? [];
  });
}

export function written(tab: Tab): Promise<number> {
  return tab.page.evaluate(() => (globalThis as Probed).acks?.at(-1) ?? 0);
}

/** Reads all the time, twice over: by the leader's lease, and confirmed. What each saw, and when it was asked. */
export async function startReading(tab: Tab): Promise<void> {
  await tab.page.evaluate(() => {
    const scope = globalThis as Probed;
    scope.reads = [];
    scope.probing = true;
    const next = async (consistency: 'lease' | 'linearizable'): Promise<void> => {
      const start = Date.now();
      try {
        const sum = await scope.chaosNode?.read((store) => store.counters['counter:probe'] ?? 0, {
          consistency,
          timeoutMs: 3_000,
        });
        scope.reads?.push({ start, sum: sum ?? 0 });
      } catch {
        // No answer is no stale answer.
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (scope.probing) return next(consistency);
    };
    void next('lease');
    void next('linearizable');
  });
}

export async function stopReading(tab: Tab): Promise<readonly { readonly start: number; readonly sum: number }[]> {
  return tab.page.evaluate(() => {
    const scope = globalThis as Probed;
    scope.probing = false;
    return scope.reads ?? [];
  });
}

/** Writes so many, one after the other; the sum after the last, and when it was acknowledged. */
export async function writeSome(tab: Tab, count: number): Promise<Acknowledged> {
  return tab.page.evaluate(async (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++)
      sum =
        (await (globalThis as Probed).chaosNode?.propose({ type: 'add', key: 'counter:probe', by: 1 }, { timeoutMs: 30_000 })) ??
        0;
    return { at: Date.now(), sum };
  }, count);
}

export interface Stands {
  readonly role: string;
  readonly voters: number;
  readonly members: number;
  readonly tolerance: number;
  readonly leader: string | undefined;
}

export function standing(tab: Tab): Promise<Stands | undefined> {
  return tab.page.evaluate(() => {
    const node = (globalThis as Probed).chaosNode;
    if (node === undefined) return undefined;
    const { role, failureTolerance: tolerance, leaderId: leader } = node.status;
    return { role, voters: node.config.voters.length, members: node.config.members.length, tolerance, leader };
  });
}

/** When a tab came how far, in ms since the epoch. */
export interface Arrival {
  readonly loaded: number;
  readonly node: number;
  readonly linked: number;
  readonly member: number;
  readonly complete: number;
}

/** Resolves when the tab knows so many members. It is told by the node, not asked for: twenty tabs that are asked all the time do little else. */
export async function membersFrom(tab: Tab, count: number, timeoutMs: number): Promise<Arrival> {
  return tab.page.evaluate(
    async ([members, patience]) => {
      const scope = globalThis as Probed;
      const loaded = Date.now();
      while (scope.chaosNode === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
      const node = scope.chaosNode;
      const opened = Date.now();
      await node.until(({ peers }) => peers.some(({ link }) => link === 'open'), { timeoutMs: patience });
      const linked = Date.now();
      await node.until(({ suffrage }) => suffrage !== 'none', { timeoutMs: patience });
      const member = Date.now();
      await node.until(() => node.config.members.length >= members, { timeoutMs: patience });
      return { loaded, node: opened, linked, member, complete: Date.now() };
    },
    [count, timeoutMs] as const,
  );
}
