export const SOURCES: readonly { readonly find: RegExp; readonly replacement: string }[];
export function buildExample(name: string): Promise<string>;
export function serveExample(folder: string, port?: number): Promise<{ readonly url: string; close(): Promise<void> }>;
