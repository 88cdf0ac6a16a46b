/** Everything that was told in a run, and what can be asked of it while it grows. */
import type { Operation } from '../../src/testing/history/history.ts';
import type { Note, Told } from './notes.ts';

export interface Lead {
  readonly term: number;
  readonly node: string;
  readonly place: string;
  readonly at: number;
}

type Status = Extract<Note, { t: 'status' }>;
type Call = Extract<Note, { t: 'call' }>;

/** Answers to calls of one life, by the call's number. */
interface Open {
  readonly call: Call;
  readonly place: string;
  readonly life: number;
}

export class Record {
  readonly operations: Operation[] = [];
  readonly leads: Lead[] = [];
  readonly endings: { readonly place: string; readonly at: number; readonly why: string }[] = [];
  readonly clusters = new Set<string>();
  /** When calls that were acknowledged had begun and ended. */
  readonly acknowledged: { readonly place: string; readonly start: number; readonly end: number; readonly write: boolean }[] = [];
  readonly #open = new Map<string, Open>();
  readonly #status = new Map<string, { readonly life: number; readonly node: string; readonly status: Status }>();
  readonly #lastLeader = new Map<number, string>();

  hear({ place, life, node, note }: Told): void {
    if (note.t === 'call') this.#open.set(`${place}/${life}/${note.id}`, { call: note, place, life });
    else if (note.t === 'answer') this.#answer(`${place}/${life}/${note.id}`, note);
    else if (note.t === 'leads') this.#lead(note.term, node, place, note.at);
    else if (note.t === 'ended') this.endings.push({ place, at: note.at, why: note.why });
    else if (note.t === 'status') {
      if (note.cluster !== '') this.clusters.add(note.cluster);
      if (note.role === 'leader') this.#lead(note.term, node, place, note.at);
      this.#status.set(place, { life, node, status: note });
    }
  }

  /** The operations, those without an answer included. */
  history(): readonly Operation[] {
    const unanswered = [...this.#open.values()].map(({ call, place, life }) => ({
      ...operationOf(call, place, life),
      end: null,
      outcome: 'unknown' as const,
      result: undefined,
    }));
    return [...this.operations, ...unanswered];
  }

  statusOf(place: string): (Status & { readonly node: string }) | undefined {
    const held = this.#status.get(place);
    return held === undefined ? undefined : { ...held.status, node: held.node };
  }

  /** The place that leads the latest term, as far as is known. */
  leader(): string | undefined {
    return this.leads.reduce<Lead | undefined>(
      (best, lead) => (best === undefined || lead.term >= best.term ? lead : best),
      undefined,
    )?.place;
  }

  /** When the first call that began after a time and was acknowledged ended; of one place, or of any. */
  firstAcknowledged(after: number, place?: string): number | undefined {
    const ends = this.acknowledged
      .filter((one) => one.start >= after && one.write && (place === undefined || one.place === place))
      .map(({ end }) => end);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  #answer(name: string, { end, outcome, result }: Extract<Note, { t: 'answer' }>): void {
    const open = this.#open.get(name);
    if (open === undefined) return;
    this.#open.delete(name);
    const { call, place, life } = open;
    this.operations.push({ ...operationOf(call, place, life), end, outcome, result });
    if (outcome === 'ok') this.acknowledged.push({ place, start: call.start, end, write: call.kind !== 'read' });
  }

  #lead(term: number, node: string, place: string, at: number): void {
    if (this.#lastLeader.get(term) === node) return;
    this.#lastLeader.set(term, node);
    this.leads.push({ term, node, place, at });
  }
}

function operationOf(
  { key, kind, input, start }: Call,
  place: string,
  life: number,
): Pick<Operation, 'process' | 'key' | 'kind' | 'input' | 'start'> {
  return { process: `${place}/${life}`, key, kind, input, start };
}
