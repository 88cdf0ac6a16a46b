/** What a room's object remembers, in its own SQLite. What is written is durable before anything that was sent afterwards leaves. */
import type { RoomState } from '../../src/signaling/room.ts';
import type { ObjectContext } from './platform.ts';

export class RoomStore {
  readonly #sql: ObjectContext['storage']['sql'];
  #written = '';

  constructor(context: ObjectContext) {
    this.#sql = context.storage.sql;
    this.#sql.exec('CREATE TABLE IF NOT EXISTS remembered (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
  }

  /** undefined: nobody is there. */
  state(): RoomState | undefined {
    this.#written = this.#get('state') ?? '';
    return this.#written === '' ? undefined : (JSON.parse(this.#written) as RoomState);
  }

  /** Written only when it has changed: a row written costs a thousand times a row read. */
  save(state: RoomState | undefined): void {
    const text = state === undefined ? '' : JSON.stringify(state);
    if (text === this.#written) return;
    if (text === '') this.#delete('state');
    else this.#put('state', text);
    this.#written = text;
  }

  clusterId(): string | null {
    return this.#get('cluster') ?? null;
  }

  remember(clusterId: string): void {
    this.#put('cluster', clusterId);
  }

  /** The room whose keeper is awake with nobody else here, and until when it may be. */
  awake(): { readonly room: string; readonly untilMs: number } | undefined {
    const text = this.#get('awake');
    return text === undefined ? undefined : (JSON.parse(text) as { readonly room: string; readonly untilMs: number });
  }

  stayAwake(room: string, untilMs: number): void {
    this.#put('awake', JSON.stringify({ room, untilMs }));
  }

  sleep(): void {
    this.#delete('awake');
  }

  #get(name: string): string | undefined {
    const [row] = this.#sql.exec('SELECT value FROM remembered WHERE name = ?', name).toArray();
    return row === undefined ? undefined : String(row['value']);
  }

  #delete(name: string): void {
    this.#sql.exec('DELETE FROM remembered WHERE name = ?', name);
  }

  #put(name: string, value: string): void {
    this.#sql.exec('INSERT OR REPLACE INTO remembered (name, value) VALUES (?, ?)', name, value);
  }
}
