import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { signaling } from './signaling.js';

export default defineConfig({
  plugins: [vue(), signaling],
  build: { target: 'es2022' },
});
