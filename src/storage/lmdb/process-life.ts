/** Whether the process that holds an identity still lives: a crashed one cannot say that it is gone. */
import { readFileSync } from 'node:fs';
import type { Holder } from './lmdb-medium.ts';

/** Nonces of the stores open in this process. */
const mine = new Set<string>();

export function holderOf(nonce: string): Holder {
  return { pid: process.pid, started: startOf(process.pid), nonce };
}

export function entered(nonce: string): void {
  mine.add(nonce);
}
export function left(nonce: string): void {
  mine.delete(nonce);
}

export function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid && holder.started === startOf(process.pid)) return mine.has(holder.nonce);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // Not ours to signal, but there.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return holder.started === startOf(holder.pid);
}

/** Boot of the machine and start of the process since then (Linux); '' where the system does not say. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the fields after it are numbers. Start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${boot} ${fields[19] ?? ''}`;
  } catch {
    return '';
  }
}
