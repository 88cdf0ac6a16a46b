/** `npm start`: the built page and its signaling server, one process, one port. PORT (8080), HOST (127.0.0.1; 0.0.0.0 behind a proxy with TLS). */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSignaling } from './signaling.js';

const DIST = fileURLToPath(new URL('./dist', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

function fileOf(url) {
  try {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = normalize(join(DIST, path.endsWith('/') ? `${path}index.html` : path));
    return file.startsWith(DIST + sep) && statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

const server = createServer((request, response) => {
  const file = fileOf(request.url);
  if (file === undefined) return response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.\n');
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'x-content-type-options': 'nosniff',
  });
  createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response);
});

if (!existsSync(join(DIST, 'index.html'))) {
  console.error('There is no built page yet: npm run build.');
  process.exit(1);
}
const signaling = await startSignaling(server);
const { PORT = '8080', HOST = '127.0.0.1' } = process.env;
server.listen(Number(PORT), HOST, () => console.log(`http://localhost:${server.address().port}/`));

async function stop() {
  await signaling.close();
  server.close(() => process.exit(0));
  server.closeAllConnections();
}
process.once('SIGINT', stop).once('SIGTERM', stop);
