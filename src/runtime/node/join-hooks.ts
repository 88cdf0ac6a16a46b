/** What the way into a cluster needs of the node that goes it. */
import type { RaftError } from '../../core/errors.ts';
import type { ClusterIdentity } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import type { JoinHooks } from '../duties/join.ts';
import type { Peers } from '../peers/peers.ts';
import type { Speakers } from '../standing/speakers.ts';

interface Outcomes {
  become(cluster: ClusterIdentity, how: 'founded' | 'joined'): void;
  end(error: RaftError): void;
}

export function joinHooks(peers: Peers, speakers: Speakers, emitter: Emitter, { become, end }: Outcomes): JoinHooks {
  return {
    candidates: () => peers.belonging(),
    call: (peer, body, timeoutMs, done) => peers.call(peer, 'join', body, timeoutMs, done),
    onIntroduced: (introduction, by) => {
      // A build that does not introduce: whoever is linked and says it belongs is taken for one that votes.
      const voters = [by, ...peers.belonging().map(({ id }) => id)];
      speakers.introduce(introduction ?? { version: 1, term: 0, voters, others: [] });
    },
    onMember: become,
    onFault: (error) => emitter.emit('fault', { error }),
    onHopeless: end,
  };
}
