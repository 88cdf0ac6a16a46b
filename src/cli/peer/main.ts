/** The process around `tabraft peer`: signals in, exit code out. */
import { lineLogger } from './logger.ts';
import { PEER_HELP, startPeer } from './peer.ts';
import { peerSettings } from './settings.ts';

type Say = (line: string) => void;

/** Resolves with the exit code when it ends: 0 as it was told to, 1 when no room is left. Errors: as startPeer, and of the flags. */
export async function runPeer(args: readonly string[], version: string, say: Say): Promise<number> {
  const settings = peerSettings(args, process.cwd());
  if ('help' in settings) {
    say(PEER_HELP);
    return 0;
  }
  const log = lineLogger(settings.log, say);
  const peer = await startPeer(settings, version, log);
  log.process({ level: 'info', event: 'started', version, rooms: peer.rooms.length, admin: peer.adminUrl ?? 'off' });
  return new Promise<number>((resolve) => {
    let stopping = false;
    const stop = (): void => {
      if (stopping) process.exit(1); // asked twice: at once
      stopping = true;
      void peer.stop().then(() => resolve(0));
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
    void peer.ended.then(() => {
      if (stopping) return;
      stopping = true;
      log.process({ level: 'error', event: 'no-room-left' });
      void peer.stop().then(() => resolve(1));
    });
  });
}
