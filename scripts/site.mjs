/** Serves a built site: static files with the headers a page that holds data should have. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.map': 'application/json; charset=utf-8',
};

/** WebRTC needs no entry. COOP and COEP give finer clocks and a process of its own. */
const POLICY = [
  "default-src 'self'",
  "worker-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Not every browser takes 'self' to mean the WebSocket of the same origin too: it is named. */
function headersFor(request) {
  const host = /^[\w.:[\]-]+$/.exec(request.headers.host ?? '')?.[0];
  const sockets = host === undefined ? '' : ` ws://${host} wss://${host}`;
  return { ...HEADERS, 'content-security-policy': [...POLICY, `connect-src 'self'${sockets}`].join('; ') };
}

/** A request listener for `node:http` over the files below `folder`. */
export function site(folder) {
  return (request, response) => {
    answer(folder, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500, headersFor(request));
      response.end();
    });
  };
}

async function answer(folder, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(request, response, 405, 'Only GET and HEAD.\n', { allow: 'GET, HEAD' });
  const file = await find(folder, request.url ?? '/');
  if (!file) return refuse(request, response, 404, 'There is no such page.\n');
  response.writeHead(200, {
    ...headersFor(request),
    'content-type': TYPES[extname(file.path)] ?? 'application/octet-stream',
    'content-length': file.size,
    // The bundler puts a digest into the names below assets/.
    'cache-control': file.path.includes(`${sep}assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') return response.end();
  const stream = createReadStream(file.path);
  stream.on('error', () => response.destroy());
  stream.pipe(response);
}

async function find(folder, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return undefined;
  }
  if (path.includes('\0')) return undefined;
  const full = normalize(join(folder, path.endsWith('/') ? `${path}index.html` : path));
  if (!full.startsWith(folder + sep)) return undefined;
  const info = await stat(full).catch(() => undefined);
  return info?.isFile() ? { path: full, size: info.size } : undefined;
}

function refuse(request, response, status, text, more = {}) {
  response.writeHead(status, { ...headersFor(request), ...more, 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}
