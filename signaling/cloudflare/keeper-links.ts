/** Which rooms a deployment keeps: their links, as the variable KEEPER names them. */
import { RaftError } from '../../src/core/errors.ts';
import { keeperAccess } from '../../src/front-door/keeper.ts';
import type { Environment } from './platform.ts';

/** Links in one variable; a secret of Cloudflare's has at most 5 KB, which are fewer. Those beyond it are refused. */
export const KEPT_ROOMS_MAX = 64;

export interface KeeperLinks {
  /** By what the server knows the rooms by. */
  readonly byKey: ReadonlyMap<string, string>;
  /** What is wrong with KEEPER, a sentence for each link; nothing of a link is in it. */
  readonly faults: readonly string[];
}

/** Never rejects: a link that cannot be read harms no other. */
export async function keeperLinks({ KEEPER = '', RELAY }: Pick<Environment, 'KEEPER' | 'RELAY'>): Promise<KeeperLinks> {
  const links = KEEPER.split(/[\s,]+/).filter((link) => link !== '');
  const byKey = new Map<string, string>();
  const faults: string[] = [];
  if (links.length > 0 && RELAY === 'off')
    return { byKey, faults: ['invalid-argument: KEEPER needs the relay, and RELAY is off.'] };
  for (const [at, link] of links.entries()) {
    try {
      if (at >= KEPT_ROOMS_MAX) throw new RaftError('invalid-argument', `A deployment keeps at most ${KEPT_ROOMS_MAX} rooms.`);
      byKey.set((await keeperAccess(link)).rendezvous, link);
    } catch (error) {
      const text = RaftError.is(error) ? `${error.code}: ${error.message}` : String(error);
      faults.push(`KEEPER, link ${at + 1}: ${text}`);
    }
  }
  return { byKey, faults };
}
