/** The script of the worker that holds a node's files: `new Worker(new URL(…), { type: 'module' })`. */
import { type HostScope, serveFiles } from './medium-host.ts';

serveFiles(globalThis as unknown as HostScope);
