/** The worker's side: holds the files of one node and answers a page's questions about them, one after the other. */
import { RaftError } from '../../core/errors.ts';
import type { Medium } from '../packed/medium.ts';
import { fileError } from './file-errors.ts';
import { FileMedium } from './file-medium.ts';
import { failureAnswer, type MediumQuestion, type OpenQuestion, type Question } from './medium-messages.ts';
import { OpfsFolder } from './opfs-folder.ts';

/** What a worker's global scope, or a message port, is used for. */
export interface HostScope {
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

/** Call once, in a dedicated worker. */
export function serveFiles(scope: HostScope): void {
  let opened: Promise<Medium> | undefined;
  const answer = async (question: Question): Promise<unknown> => {
    if (question.ask === 'open') {
      if (opened !== undefined) throw new RaftError('invalid-argument', 'This worker holds the files of a node already.');
      opened = open(question);
      await opened;
      return undefined;
    }
    if (opened === undefined) throw new RaftError('not-open', 'This worker holds no files yet.');
    return call(await opened, question);
  };
  scope.addEventListener('message', ({ data }: MessageEvent<Question>) => {
    answer(data).then(
      (value) => scope.postMessage({ id: data.id, value }, transferable(value)),
      (error: unknown) => scope.postMessage(failureAnswer(data.id, error)),
    );
  });
}

async function open({ parent, name, aliveLock }: OpenQuestion): Promise<Medium> {
  await holdWhileAlive(aliveLock);
  try {
    const directory = await parent.getDirectoryHandle(name, { create: true });
    return await FileMedium.open(new OpfsFolder(parent, directory));
  } catch (error) {
    throw fileError(error);
  }
}

function holdWhileAlive(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(name, () => {
      resolve();
      return new Promise<never>(() => undefined);
    });
    held.catch(reject);
  });
}

function call(medium: Medium, question: MediumQuestion): Promise<unknown> {
  switch (question.ask) {
    case 'commit':
      return medium.commit(...question.given);
    case 'get':
      return medium.get(...question.given);
    case 'all':
      return medium.all(...question.given);
    case 'scan':
      return medium.scan(...question.given);
    case 'keys':
      return medium.keys(...question.given);
    case 'estimate':
      return medium.estimate();
    case 'close':
      return medium.close();
    case 'destroy':
      return medium.destroy();
  }
}

/** Values read are the medium's to give away. */
function transferable(value: unknown): Transferable[] {
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) =>
    typeof item === 'object' && item !== null && 'value' in item && item.value instanceof Uint8Array
      ? [item.value.buffer as ArrayBuffer]
      : [],
  );
}
