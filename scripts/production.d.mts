import type { Plugin } from 'vite';

export const production: Plugin;
