/** What may be asked about one room. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { RaftError } from '../../core/errors.ts';
import { logNode } from '../../front-door/log-lines.ts';
import { answerJson } from './http.ts';
import type { RunningRoom } from './rooms.ts';

type Body = Readonly<Record<string, unknown>>;
type Action = (room: RunningRoom, body: Body, response: ServerResponse) => Promise<void> | void;

/** How long a change may take: ms. */
const CALL_TIMEOUT_MS = 10_000;
/** Who watches: more are refused with `busy`. */
const WATCHERS_MAX = 16;
/** Bytes that may wait for who watches and does not read; then it is cut. */
const WATCHER_BYTES_MAX: number = 1024 * 1024;
let watchers = 0;

const ACTIONS: Readonly<Record<string, Action>> = {
  'GET status': ({ node, keeps }, _body, response) => answerJson(response, 200, { ...node.status, keeper: keeps }),
  'GET members': ({ node }, _body, response) => answerJson(response, 200, node.config),
  'GET explain': ({ node }, _body, response) => answerJson(response, 200, node.admin.explain()),
  'GET backup': backup,
  'GET watch': watch,
  'POST members': async ({ node }, body, response) => {
    const { id, as = 'voter', priority, name } = only(body, ['id', 'as', 'priority', 'name']);
    if (as !== 'voter' && as !== 'standby') throw new RaftError('invalid-argument', `as is voter or standby, not ${String(as)}.`);
    const suffrage = as === 'voter' ? 'voter' : 'learner';
    const given = {
      ...(priority === undefined ? {} : { priority: wholeNumber('priority', priority) }),
      ...(name === undefined ? {} : { name: text('name', name) }),
    };
    const index = await node.membership.add({ id: text('id', id), suffrage, ...given }, { timeoutMs: CALL_TIMEOUT_MS });
    answerJson(response, 200, { index });
  },
  'POST remove': async ({ node }, body, response) => {
    const index = await node.membership.remove(text('id', only(body, ['id'])['id']), { timeoutMs: CALL_TIMEOUT_MS });
    answerJson(response, 200, { index });
  },
  'POST transfer': async ({ node }, body, response) => {
    const to = only(body, ['to'])['to'];
    const leader = await node.admin.transferLeadership(to === undefined ? undefined : text('to', to), {
      timeoutMs: CALL_TIMEOUT_MS,
    });
    answerJson(response, 200, { leader });
  },
  'POST snapshot': async ({ node }, body, response) => {
    only(body, []);
    answerJson(response, 200, await node.admin.snapshot({ timeoutMs: CALL_TIMEOUT_MS }));
  },
};

export function actionFor(name: string, more: string | undefined): Action | undefined {
  return more === undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
}

/** The dump of node.admin.export, piece by piece. What fails in the middle cuts the connection, so that nobody takes it for whole. */
async function backup({ node }: RunningRoom, _body: Body, response: ServerResponse): Promise<void> {
  const pieces = node.admin.export();
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
  const gone = once(response, 'close');
  for await (const piece of pieces) {
    if (response.destroyed) return;
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), gone]);
  }
  response.end();
}

/** A line of JSON for each event, until one of the two ends it. */
function watch({ node }: RunningRoom, _body: Body, response: ServerResponse): void {
  if (watchers >= WATCHERS_MAX) throw new RaftError('busy', `${WATCHERS_MAX} watch already.`);
  watchers++;
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  const say = (line: unknown): void => {
    if (response.writableLength > WATCHER_BYTES_MAX) response.destroy();
    else response.write(`${JSON.stringify(line)}\n`);
  };
  const { role, term, leaderId = null, commitIndex } = node.status;
  say({ level: 'info', event: 'now', room: node.room, node: node.id, role, term, leader: leaderId, commitIndex });
  const registration = logNode(node, say);
  response.on('close', () => {
    watchers--;
    registration();
  });
}

/** Errors: invalid-argument for a field that is not known. */
function only(body: Body, names: readonly string[]): Body {
  const other = Object.keys(body).find((name) => !names.includes(name));
  if (other === undefined) return body;
  throw new RaftError('invalid-argument', `There is no field ${other}; fields: ${names.join(', ') || 'none'}.`);
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new RaftError('invalid-argument', `${name} is a text, not ${JSON.stringify(value)}.`);
}

function wholeNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new RaftError('invalid-argument', `${name} is a whole number, not ${JSON.stringify(value)}.`);
}
