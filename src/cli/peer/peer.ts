/** `tabraft peer`: members at the edge, one process for many rooms. */
import { mkdir } from 'node:fs/promises';
import { DiskWatch } from '../../../signaling/disk.ts';
import { RaftError } from '../../core/errors.ts';
import { type AdminServer, startAdmin } from './admin.ts';
import { lockDirectory, type Release } from './directory-lock.ts';
import { fieldsHelp, PROCESS_FIELDS, ROOM_FIELDS } from './fields.ts';
import { type Links, linksFor } from './links.ts';
import type { ProcessLogger } from './logger.ts';
import { closeRoom, openRoom, type RunningRoom } from './rooms.ts';
import { CONFIG_NAME, type PeerSettings } from './settings.ts';

export const PEER_HELP: string = `usage: npx tabraft peer --room LINK [--room LINK …] --signaling URL --dir PATH [flags]

Members of rooms, as long as the process runs. With a state machine (--machine) they are members like any tab; without one they are
keepers, which vote and store what the others write, so that a room lives on when all tabs are closed.

Of the process:
${fieldsHelp(PROCESS_FIELDS)}
  --config PATH                a file with the same fields (default ./${CONFIG_NAME}, if there is one)

Of every room; in the file also of one room: "rooms": ["one", { "room": "two", "machine": "./two.js" }]
${fieldsHelp(ROOM_FIELDS)}

It needs the packages lmdb and node-datachannel beside tabraft: npm i tabraft lmdb node-datachannel
SIGTERM and SIGINT: it hands leadership over, says goodbye, and ends; a second one ends it at once.
The admin server answers on loopback: npx tabraft status, and /healthz and /metrics.`;

export interface RunningPeer {
  readonly rooms: readonly RunningRoom[];
  /** Of the admin server; undefined without one. */
  readonly adminUrl: string | undefined;
  /** Resolves when every room has ended by itself. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Errors: what is wrong with the settings, the port, the directory, a module or a store; then nothing runs. */
export async function startPeer(settings: PeerSettings, version: string, log: ProcessLogger): Promise<RunningPeer> {
  const rooms: RunningRoom[] = [];
  let draining = false;
  let admin: AdminServer | undefined;
  let links: Links | undefined;
  let release: Release | undefined;
  const disk = new DiskWatch(settings.dir);
  const diskTrouble = async (): Promise<string | undefined> => {
    await disk.look();
    return disk.trouble;
  };
  const close = async (): Promise<void> => {
    await Promise.allSettled(rooms.map(closeRoom));
    await admin?.close();
    links?.cleanup();
    await release?.();
  };
  try {
    await makeDirectory(settings.dir);
    release = await lockDirectory(settings.dir);
    if (settings.admin !== undefined)
      admin = await startAdmin(settings.admin, { rooms, version, isDraining: () => draining, diskTrouble });
    links = await linksFor(settings.links, log);
    for (const room of settings.rooms) rooms.push(await openRoom(room, settings, links, log));
  } catch (error) {
    await close();
    throw error;
  }
  const lives = rooms.map(({ node }) => new Promise<void>((resolve) => void node.on('fatal', () => resolve())));
  return {
    rooms,
    adminUrl: admin?.url,
    ended: Promise.all(lives).then(() => {}),
    stop: async () => {
      draining = true;
      log.process({ level: 'info', event: 'stopping' });
      await close();
      log.process({ level: 'info', event: 'stopped' });
    },
  };
}

async function makeDirectory(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new RaftError('storage-unavailable', `The directory ${dir} cannot be made.`, { cause });
  }
}
