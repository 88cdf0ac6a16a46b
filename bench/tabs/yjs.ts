/**
 * yjs + y-webrtc + y-indexeddb, one map set per operation. A set promises nothing, so an operation counts as done when one
 * other tab has seen it: two of three have it then, though nobody knows of any disk.
 */

import { IndexeddbPersistence } from 'y-indexeddb';
import { WebrtcProvider } from 'y-webrtc';
import { Doc, type Map as YMap } from 'yjs';
import { type Contestant, MARK, TABS } from './contestant.ts';
import { channel } from './quiet-channels.ts';

export function yjs(signaling: string): Contestant {
  const doc = new Doc();
  const map = doc.getMap<string>('state');
  let provider: WebrtcProvider | undefined;
  let seen: BroadcastChannel | undefined;
  let sequence = 0;
  let waiting: (() => void)[] = [];
  let done = 0;
  return {
    async open(room, place) {
      // One database per tab, as on three machines.
      await new IndexeddbPersistence(`yjs-${room}-${place}`, doc).whenSynced;
      provider = new WebrtcProvider(`yjs-${room}`, doc, { signaling: [signaling], peerOpts: { config: { iceServers: [] } } });
      seen = channel(`yjs-${room}`);
      if (place === 0) {
        seen.onmessage = ({ data }: MessageEvent<number>) => {
          const ended = waiting.slice(0, Math.max(0, data - done));
          waiting = waiting.slice(ended.length);
          done = Math.max(done, data);
          for (const run of ended) run();
        };
      } else {
        tellWhatIsSeen(map, seen);
      }
    },
    formed: () => provider?.room?.webrtcConns.size === TABS - 1,
    write: (key, value) =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        map.set(key, `${++sequence}|${value}`);
      }),
    onMark: (listener) => {
      map.observe((event) => {
        if (event.keysChanged.has(MARK)) listener((map.get(MARK) ?? '').split('|')[1] ?? '');
      });
    },
  };
}

function tellWhatIsSeen(map: YMap<string>, seen: BroadcastChannel): void {
  let highest = 0;
  let told = 0;
  map.observe((event) => {
    for (const key of event.keysChanged) highest = Math.max(highest, Number.parseInt(map.get(key ?? '') ?? '', 10) || 0);
    queueMicrotask(() => {
      if (highest === told) return;
      told = highest;
      seen.postMessage(highest);
    });
  });
}
