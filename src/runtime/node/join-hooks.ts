/** What the way into a cluster needs of the node that goes it. */
import type { RaftError } from '../../core/errors.ts';
import type { ClusterIdentity } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import type { JoinHooks } from '../duties/join.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { StandingRecord } from '../standing/standing.ts';

interface Outcomes {
  become(cluster: ClusterIdentity, how: 'founded' | 'joined'): void;
  end(error: RaftError): void;
}

export function joinHooks(standing: StandingRecord, speakers: Speakers, emitter: Emitter, { become, end }: Outcomes): JoinHooks {
  const { peers } = standing;
  return {
    candidates: () => peers.belonging(),
    call: (peer, body, timeoutMs, done) => peers.call(peer, 'join', body, timeoutMs, done),
    onIntroduced: (introduction, by) => {
      // A build that does not introduce: whoever is linked and says it belongs is taken for one that votes.
      const voters = [by, ...peers.belonging().map(({ id }) => id)];
      speakers.introduce(introduction ?? { version: 1, term: 0, voters, others: [] });
    },
    onNoQuorum: (report, by) => {
      standing.outside = report === undefined ? undefined : { by, report };
    },
    onMember: become,
    onFault: (error) => emitter.emit('fault', { error }),
    onHopeless: end,
  };
}
