/** What happens inside, as data: for logs, tests and tools. Only made when somebody listens. */
import type { ConfState, Index, Message, NodeId, ReadState, Role, Term } from './types.ts';

export type TraceEvent =
  | { readonly kind: 'role'; readonly role: Role; readonly term: Term; readonly leader: NodeId; readonly why: string }
  | { readonly kind: 'leader'; readonly leader: NodeId; readonly term: Term }
  | { readonly kind: 'campaign'; readonly pre: boolean; readonly transfer: boolean; readonly term: Term }
  | { readonly kind: 'campaign-refused'; readonly why: CampaignRefusal }
  | { readonly kind: 'vote'; readonly candidate: NodeId; readonly term: Term; readonly pre: boolean; readonly granted: boolean }
  | {
      readonly kind: 'contradicted';
      readonly leader: NodeId;
      readonly index: Index;
      readonly term: Term;
      readonly committed: Term;
    }
  | { readonly kind: 'vote-ignored'; readonly candidate: NodeId; readonly term: Term }
  | { readonly kind: 'received'; readonly message: Message }
  | { readonly kind: 'dropped'; readonly message: Message; readonly why: string }
  | { readonly kind: 'sent'; readonly message: Message; readonly afterPersist: boolean }
  | { readonly kind: 'append'; readonly first: Index; readonly last: Index; readonly term: Term }
  | { readonly kind: 'truncate'; readonly from: Index }
  | { readonly kind: 'commit'; readonly index: Index }
  | { readonly kind: 'apply'; readonly index: Index }
  | { readonly kind: 'persist'; readonly index: Index; readonly term: Term; readonly stale: boolean }
  | { readonly kind: 'propose-dropped'; readonly why: string; readonly count: number }
  | { readonly kind: 'conf'; readonly conf: ConfState }
  | { readonly kind: 'conf-refused'; readonly why: string }
  | { readonly kind: 'snapshot-sent'; readonly to: NodeId; readonly index: Index }
  | { readonly kind: 'snapshot-restored'; readonly index: Index; readonly term: Term }
  | { readonly kind: 'snapshot-ignored'; readonly index: Index; readonly why: string }
  | { readonly kind: 'snapshot-lost'; readonly to: NodeId; readonly index: Index }
  | { readonly kind: 'progress'; readonly peer: NodeId; readonly state: string; readonly match: Index; readonly next: Index }
  | { readonly kind: 'entries-wanted'; readonly peer: NodeId; readonly from: Index }
  | { readonly kind: 'transfer'; readonly target: NodeId; readonly phase: 'started' | 'sent' | 'aborted' | 'refused' }
  | { readonly kind: 'alone'; readonly index: Index; readonly term: Term; readonly phase: 'started' | 'durable' }
  | { readonly kind: 'proxy-vote'; readonly to: NodeId; readonly term: Term }
  | { readonly kind: 'quorum-lost'; readonly term: Term }
  | { readonly kind: 'read'; readonly read: ReadState };

export type CampaignRefusal = 'leader' | 'not-promotable' | 'unapplied-config-change';

export type TraceSink = (event: TraceEvent) => void;
