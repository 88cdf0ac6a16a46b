/** Workers as they are deployed, in Cloudflare's own runtime. */
import { createInterface } from 'node:readline';
import { Miniflare } from 'miniflare';
import { build } from 'vite';

/** A worker's script: built as an application's bundler would. */
export async function builtWorker(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      lib: { entry, formats: ['es'], fileName: 'worker' },
      rollupOptions: { external: /^node:/ },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !('output' in output)) throw new Error('nothing was built');
  return output.output[0].code;
}

export interface MiniflareInit {
  readonly script: string;
  /** Where objects keep what is durable. */
  readonly folder: string;
  readonly className: string;
  readonly bindings: Readonly<Record<string, string>>;
  /** Default: any that is free. */
  readonly port?: number;
  /** Told of every line that the worker writes. Default: they are shown. */
  readonly onLine?: (line: string) => void;
}

export function miniflareOf({ script, folder, className, bindings, port, onLine }: MiniflareInit): Miniflare {
  return new Miniflare({
    modules: true,
    script,
    compatibilityDate: '2026-04-01',
    compatibilityFlags: ['nodejs_compat'],
    durableObjects: { ROOMS: { className, useSQLite: true } },
    durableObjectsPersist: folder,
    bindings,
    ...(port === undefined ? {} : { port }),
    ...(onLine === undefined
      ? {}
      : {
          handleRuntimeStdio: (...streams: readonly NodeJS.ReadableStream[]) => {
            for (const input of streams) createInterface({ input }).on('line', onLine);
          },
        }),
  });
}
