/** Load on purpose: tabs that use the account as fast as people in a hurry, and the benchmark of this very room. */
import type { AccountHistory } from './history.ts';
import type { DemoNode } from './open.ts';

/** Between two operations of one client, in ms. */
const PAUSE_MS = 25;
const CLIENTS = 2;

/** Uses the account until the time is over; what fails has been noted by the history. Never rejects. */
export async function useAccount(history: AccountHistory, ms: number): Promise<void> {
  const end = performance.now() + ms;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const choice = Math.random();
      const amount = 1 + Math.floor(Math.random() * 40);
      const call = choice < 0.4 ? history.deposit(amount) : choice < 0.8 ? history.withdraw(amount) : history.balance();
      await call.then(
        () => undefined,
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

export interface Figures {
  readonly clients: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** So many writes under way at once, for so long. Errors: those of propose. */
export async function measure(node: Pick<DemoNode, 'propose'>, clients: number, ms: number): Promise<Figures> {
  const times: number[] = [];
  const begin = performance.now();
  const client = async (number: number): Promise<void> => {
    const owner = `benchmark ${number}`;
    for (let start = performance.now(); start < begin + ms; start = performance.now()) {
      await node.propose({ type: 'names.claim', name: owner, owner });
      times.push(performance.now() - start);
    }
    await node.propose({ type: 'names.release', name: owner, owner });
  };
  const clientsDone = await Promise.allSettled(Array.from({ length: clients }, (_, number) => client(number)));
  const failed = clientsDone.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const elapsedMs = performance.now() - begin;
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
  return { clients, perSecond: Math.round((times.length * 1_000) / elapsedMs), p50Ms: at(0.5), p99Ms: at(0.99) };
}
