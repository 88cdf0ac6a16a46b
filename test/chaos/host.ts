/** Serves the page of a chaos run and the signaling of its room: a process of its own, so that it can be killed. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { site } from '../../scripts/site.mjs';
import { attachSignaling } from '../../signaling/server.ts';

const [folder = '', directory = '', port = '0'] = process.argv.slice(2);
const server = createServer(site(folder));
await attachSignaling(server, { directory });
server.listen(Number(port), '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
