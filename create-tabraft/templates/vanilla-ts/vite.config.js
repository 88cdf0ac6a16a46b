import { defineConfig } from 'vite';
import { signaling } from './signaling.js';

export default defineConfig({
  plugins: [signaling],
  build: { target: 'es2022' },
});
