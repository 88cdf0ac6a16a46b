/** Bundlers put the answer in place of `process.env.NODE_ENV`, and strip what hangs on it. */
declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** Whether this is a development build: readers' values are frozen. */
export const IS_DEVELOPMENT: boolean = isDevelopment();

function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== 'production';
  } catch {
    // A page without a bundler has no such word.
    return false;
  }
}
