/**
 * Whether this is a development build: mistakes are told at the line that makes them, and readers' values are frozen. The package is
 * built twice, under the export conditions that bundlers set ("development" and none); the production build has `false` here
 * (scripts/production.mjs), so that nothing that hangs on it is in it.
 */
export const IS_DEVELOPMENT: boolean = true;
