import type { Plugin } from 'vite';

export function leanSource(text: string): string;
export const leanSimplePeer: Plugin;
