/** The page of a chaos run: enters the room, runs a client, and loads itself anew when its node has ended. */
import { raft } from '../../src/index.ts';
import { machine, SECRET } from './machine.ts';
import { type Note, now } from './notes.ts';
import { type ChaosNode, Client } from './workload.ts';

interface Chaos extends EventTarget {
  /** Given by who runs this: takes one told note. */
  readonly chaosTell?: (told: string) => Promise<void>;
  chaosNode?: ChaosNode;
}

const scope: Chaos = globalThis;
/** After a fault of the environment the page tries again, as a page of an application would: ms. */
const AGAIN_MS = 700;
/** One life of this page; later ones are greater. */
const life = now();
let node: ChaosNode | undefined;

async function tell(note: Note): Promise<void> {
  await scope.chaosTell?.(JSON.stringify({ life, node: node?.id ?? '', note }));
}

async function main(): Promise<void> {
  const room = new URL(location.href).searchParams.get('room') ?? 'chaos';
  try {
    node = await raft.enter(room, machine, { secret: SECRET });
    scope.chaosNode = node;
    if (location.hash !== '#idle') await new Client(node, tell, String(life)).run();
    else return;
  } catch (error) {
    await tell({ t: 'ended', at: now(), why: String((error as { code?: string }).code ?? error) });
  }
  setTimeout(() => location.reload(), AGAIN_MS);
}

addEventListener('error', ({ message }) => void tell({ t: 'ended', at: now(), why: `uncaught: ${message}` }));
addEventListener('unhandledrejection', ({ reason }) => void tell({ t: 'ended', at: now(), why: `unhandled: ${String(reason)}` }));
void main();
