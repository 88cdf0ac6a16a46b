/** What makes a build one for production: src/state/development.ts says no, and the bundler drops what hangs on it. */
export const production = {
  name: 'tabraft-production',
  enforce: 'pre',
  load(id) {
    return id.split('?')[0].endsWith('/src/state/development.ts') ? 'export const IS_DEVELOPMENT = false;' : undefined;
  },
};
