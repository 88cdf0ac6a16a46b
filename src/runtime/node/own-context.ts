/** What the configuration shall keep of this node. */
import { NO_NODE } from '../../core/types.ts';
import type { NodeOptions } from '../api/options.ts';
import { MEMBER_DEFAULTS, type MemberContextFields } from '../member/configuration.ts';

export function ownContext({
  name,
  priority,
  suffrage: wants,
  replaces = NO_NODE,
  succession = MEMBER_DEFAULTS.succession,
  device,
  gate,
}: NodeOptions): MemberContextFields {
  const { publicKey } = gate?.identity ?? MEMBER_DEFAULTS;
  return { ...MEMBER_DEFAULTS, name, priority, wants, replaces, succession, publicKey, profileDomain: device ?? '' };
}
