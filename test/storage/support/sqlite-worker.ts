/** A Durable Object that runs what a test names, on its own SQLite. */
import { ObjectDatabase } from '../../../signaling/cloudflare/object-database.ts';
import type { Environment, ObjectContext } from '../../../signaling/cloudflare/platform.ts';
import { SqlStorage } from '../../../src/storage/sqlite/sql-storage.ts';
import { storageSuite } from '../../../src/testing/storage-suite.ts';
import { work } from './sqlite-work.ts';

export class SuiteObject {
  readonly #database: ObjectDatabase;

  constructor(context: ObjectContext) {
    this.#database = new ObjectDatabase(context);
  }

  async fetch(request: Request): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    try {
      const named = storageSuite({ open: () => new SqlStorage(this.#database) }).find((one) => one.name === name);
      if (named !== undefined) await named.run();
      const answer = named === undefined ? await work(name, this.#database) : null;
      return Response.json({ ok: true, answer });
    } catch (error) {
      return Response.json({
        ok: false,
        answer: error instanceof Error ? `${error.message} ${error.stack ?? ''}` : String(error),
      });
    }
  }
}

interface Worker {
  fetch(request: Request, environment: Environment): Promise<Response>;
}

const worker: Worker = {
  fetch: (request, { ROOMS }) => ROOMS.get(ROOMS.idFromName('suite')).fetch(request),
};
export default worker;
