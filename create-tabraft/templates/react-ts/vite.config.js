import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { signaling } from './signaling.js';

export default defineConfig({
  plugins: [react(), signaling],
  build: { target: 'es2022' },
});
