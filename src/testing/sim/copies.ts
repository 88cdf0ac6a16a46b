/** A second process of an identity that is alive, over a copy of its storage: a browser profile that was copied. */
import { RaftError } from '../../core/errors.ts';
import { Emitter } from '../../runtime/api/emitter.ts';
import { oneThread } from '../../runtime/node/runtime.ts';
import { VirtualProcess } from './process.ts';
import { type SimNode, settingsOf, type World } from './sim-node.ts';

/** By then the copy must have ended, in ms: it has read its storage, and the room has answered. */
const ENDED_WITHIN_MS = 200;

/**
 * I41: the copy ends and says why, before anybody has heard of it, and the original goes on. Only of a node that can
 * answer for itself: of one that is dead or frozen a copy cannot be told from its next life.
 */
export function openCopy(node: SimNode, world: World): boolean {
  const { engine: original, process: alive } = node;
  if (original?.member === undefined || original.ended !== undefined || alive?.frozen !== false) return false;
  const { scheduler, network, room, random, ghost } = world;
  const name = `copy of ${node.id}`;
  const process = new VirtualProcess(name, scheduler, random.fork(`${name}/${scheduler.nowMs}`), node.clockFaults);
  const transport = network.transport(process, 'when let in');
  const signaling = room.signaling(process);
  const disk = node.disk.copy();
  const store = disk.open(process, { room: 'sim' });
  const emitter = new Emitter((error) => ghost.evidence.fail('I38', `${name}: a listener threw ${String(error)}`));
  const options = node.optionsOf(process, transport, signaling);
  const copy = oneThread(options, store, world.machine(node.version), settingsOf(world), emitter);
  let heard = false;
  const send = transport.send.bind(transport);
  transport.send = (...message) => {
    heard = true;
    return send(...message);
  };
  const vanish = (): void => {
    process.die();
    transport.vanish();
    signaling.vanish();
    disk.crash('process');
  };
  const enter = signaling.enter.bind(signaling);
  signaling.enter = async (...entry) => {
    // While its storage was read the original went down: from here on it would be a next life with a worse memory.
    if (node.engine?.ended === undefined && node.process?.frozen === false) return enter(...entry);
    ghost.evidence.mark('copy:alone');
    vanish();
  };
  scheduler.stir();
  copy.start().catch((error: unknown) => ghost.evidence.fail('I41', `${name} could not start: ${String(error)}`));
  scheduler.after(ENDED_WITHIN_MS, '', () => {
    if (!process.alive) return;
    const code = copy.ended?.code ?? 'none';
    const wrong = code !== 'identity-in-use' || heard || RaftError.is(original.ended, 'identity-in-use');
    ghost.evidence.check(
      'I41',
      !wrong,
      () =>
        `${name} ended with ${code} and was ${heard ? '' : 'not '}heard; the original ended with ${original.ended?.code ?? 'none'}`,
    );
    vanish();
  });
  return true;
}
