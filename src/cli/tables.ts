/** Tables for people; machines ask for --json. */
import { describeConf } from '../core/describe.ts';
import type { LogLine, StoreMembership, StoreMetadata } from '../storage/inspect.ts';

export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

const when = (ms: number): string => (ms === 0 ? '-' : new Date(ms).toISOString());

export function logTable(lines: readonly LogLine[]): string[] {
  const rows = lines.map((l) => [String(l.index), String(l.term), l.type, String(l.bytes), when(l.time), l.text]);
  return table(['index', 'term', 'type', 'bytes', 'time', 'entry'], rows);
}

export function metadataTable(m: StoreMetadata): string[] {
  const snapshot = m.snapshot && `${m.snapshot.term}/${m.snapshot.index}, ${m.snapshot.bytes} bytes, digest ${m.snapshot.digest}`;
  return table(
    ['what', 'value'],
    [
      ['node', m.identity.nodeId],
      ['room', m.identity.room],
      ['cluster', m.cluster === undefined ? 'none' : `${m.cluster.clusterId}, epoch ${m.cluster.epoch}`],
      ['term', String(m.hardState.term)],
      ['vote', m.hardState.vote === '' ? 'none' : m.hardState.vote],
      ['commit', String(m.hardState.commit)],
      ['log', m.lastIndex < m.firstIndex ? `empty, continues at ${m.firstIndex}` : `${m.firstIndex} to ${m.lastIndex}`],
      ['snapshot', snapshot ?? 'none'],
      ...m.records.map(({ key, bytes }) => [`record ${key}`, `${bytes} bytes`]),
    ],
  );
}

export function membersTable({ committed, latest }: StoreMembership): string[] {
  const { voters, votersOutgoing, learners, learnersNext, witnesses } = latest;
  const roles = new Map<string, string[]>();
  const add = (ids: readonly string[], role: string): void => {
    for (const id of ids) roles.set(id, [...(roles.get(id) ?? []), role]);
  };
  add(voters, 'voter');
  add(votersOutgoing, 'voter (outgoing)');
  add(learners, 'learner');
  add(learnersNext, 'learner (next)');
  add(witnesses, 'witness');
  const rows = [...roles].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, each]) => [id, each.join(', ')]);
  return [...table(['member', 'role'], rows), `latest     ${describeConf(latest)}`, `committed  ${describeConf(committed)}`];
}
