/** The signaling server on Cloudflare Workers: one Durable Object for each room. deploy/cloudflare has what to deploy it with. */
import { SIGNALING_PATH } from '../../src/signaling/protocol.ts';
import { keeperLinks } from './keeper-links.ts';
import type { Environment } from './platform.ts';
import { isRoomKey, RoomObject } from './room-object.ts';

export { RoomObject };

interface Worker {
  fetch(request: Request, environment: Environment): Promise<Response>;
}

const say = (status: number, text: string): Response =>
  new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain' } });

/** The room stands in the address, as `/signal?room=KEY`: it is known there which object to wake before anybody has said a word. */
export const worker: Worker = {
  async fetch(request, environment) {
    const url = new URL(request.url);
    if (url.pathname === '/healthz') return health(environment);
    if (url.pathname !== SIGNALING_PATH) return say(404, 'This is a signaling server; connect a WebSocket.');
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return say(426, 'Connect a WebSocket.');
    if (!isOriginAllowed(request, url, environment.ORIGINS)) return say(403, 'Pages of this origin may not connect.');
    const key = url.searchParams.get('room') ?? '';
    if (!isRoomKey(key)) return say(400, 'The address names no room: give clients the URL with "?room=" at its end.');
    return environment.ROOMS.get(environment.ROOMS.idFromName(key)).fetch(request);
  },
};

/** 503 names what is wrong with the deployment's variables. */
async function health(environment: Environment): Promise<Response> {
  const { faults } = await keeperLinks(environment);
  return faults.length === 0 ? say(200, 'ok') : say(503, faults.join('\n'));
}

/** Browsers always say where a page is from; what says nothing is no browser, and its user's own doing. */
function isOriginAllowed(request: Request, url: URL, origins: string | undefined): boolean {
  const origin = request.headers.get('origin');
  if (origins === '*' || origin === null) return true;
  if (origins === undefined || origins === '') return origin === `http://${url.host}` || origin === `https://${url.host}`;
  return origins
    .split(',')
    .map((one) => one.trim())
    .includes(origin);
}

/** What the platform takes. */
export default worker;
