import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request listener for `node:http` over the files below `folder`. */
export declare function site(folder: string): (request: IncomingMessage, response: ServerResponse) => void;
