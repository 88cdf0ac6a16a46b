import { mkdirSync } from 'node:fs';
import { attachSignaling } from 'tabraft/signaling';

/** Where the signaling server remembers which rooms have a cluster; without it a restart forgets. */
const MEMORY = process.env.STATE ?? '.tabraft';

/** Lets tabs find each other, at /signal of this server; what they say to each other afterwards goes past it. */
export async function startSignaling(server) {
  mkdirSync(MEMORY, { recursive: true });
  const signaling = await attachSignaling(server, { directory: MEMORY });
  server.once('close', () => signaling.close());
  return signaling;
}

/** The same for vite's server, while one develops. */
export const signaling = {
  name: 'tabraft-signaling',
  async configureServer({ httpServer }) {
    if (httpServer) await startSignaling(httpServer);
  },
};
