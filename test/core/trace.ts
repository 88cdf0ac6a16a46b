/**
 * Traces: a script that a person can read, with what it prints beside it. A block is commands, a line of dashes, the output,
 * an empty line. `#` begins a comment. Run with TABRAFT_UPDATE_TRACES=1 to write the outputs anew; then read the difference.
 */
import {
  describeConf,
  describeEntry,
  describeHardState,
  describeMessage,
  describeReady,
  describeStatus,
} from '../../src/core/describe.ts';
import { type Message, makeEntry } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';

const DASHES = '----';

/** The whole text again, each block with the output it has now. */
export function replayTrace(text: string): string {
  const runner = new Runner();
  const blocks = text.trimEnd().split(/\n\n+/);
  return `${blocks.map((block) => runner.block(block)).join('\n\n')}\n`;
}

class Runner {
  #cluster: TestCluster | undefined = undefined;

  block(block: string): string {
    const lines = block.split('\n');
    const end = lines.indexOf(DASHES);
    const commands = end < 0 ? lines : lines.slice(0, end);
    if (commands.every((line) => line.startsWith('#'))) return block;
    const output: string[] = [];
    for (const line of commands) if (!line.startsWith('#')) output.push(...this.#run(line.trim()).split('\n').filter(Boolean));
    return [...commands, DASHES, ...(output.length === 0 ? ['ok'] : output)].join('\n');
  }

  get #it(): TestCluster {
    if (this.#cluster === undefined) throw new Error('no cluster: begin with "cluster a b c"');
    return this.#cluster;
  }

  #run(line: string): string {
    const [command = '', ...words] = line.split(/\s+/);
    const [id = '', ...rest] = words;
    const action = this.#actions[command];
    if (action === undefined) throw new Error(`no such command: ${line}`);
    return action(id, rest, words) ?? '';
  }

  // biome-ignore format: one line per command
  readonly #actions: Readonly<Record<string, (id: string, rest: string[], words: string[]) => string | undefined>> = {
    cluster: (_id, _rest, words) => this.#setUp(words),
    tick: (id, [count = '1']) => void this.#it.tick(id, Number(count)),
    rounds: (id, [count = '1']) => this.#rounds(id, Number(count)),
    timeout: (id, [ticks = '1']) => void this.#it.node(id).setElectionTimeout(Number(ticks)),
    campaign: (id) => void this.#it.node(id).campaign(),
    elect: (id) => void this.#it.elect(id),
    propose: (id, commands) => said(this.#it.propose(id, ...commands)),
    change: (id, steps) => said(this.#it.change(id, change(...steps))),
    read: (id, [context = 'r']) => said(this.#it.node(id).readIndex(context)),
    transfer: (id, [target = '']) => said(this.#it.node(id).transferLeader(target)),
    alone: (id) => said(this.#it.node(id).goAlone()),
    leave: (id, candidates) => this.#leave(id, candidates),
    close: (id) => void this.#it.close(id),
    seals: (_id, _rest, ids) => ids.map((id) => this.#seal(id)).join('\n'),
    forget: (id) => (this.#it.node(id).forgetLeader() ? undefined : 'refused'),
    priority: (id, [value = '0']) => void this.#it.node(id).setPriority(Number(value)),
    checkquorum: (id, [on]) => void this.#it.node(id).setCheckQuorum(on === 'on'),
    range: (id, [min = '0', max = '0']) => void this.#it.node(id).setElectionTimeoutRange({ minTicks: Number(min), maxTicks: Number(max) }),
    lease: (_id, _rest, ids) => ids.map((id) => `${id} ${this.#it.node(id).inLease() ? 'holds a lease' : 'holds no lease'}`).join('\n'),
    memory: (id, [from = '0']) => this.#memory(id, Number(from)),
    disk: (id) => this.#disk(id),
    terms: (_id, _rest, ids) => ids.map((id) => `${id} ${this.#it.member(id).disk.kept.map(({ term }) => term).join(' ') || 'empty'}`).join('\n'),
    start: (id, [term = '0', ...terms]) => this.#start(id, Number(term), terms.map(Number)),
    partition: (_id, _rest, words) => this.#partition(words),
    pending: () => this.#it.network.map((message) => describeMessage(message)).join('\n') || 'nothing',
    repeat: (_id, _rest, words) => this.#repeat(words),
    unreachable: (id, [peer = '']) => void this.#it.node(id).reportUnreachable(peer),
    snapshot: (id, [peer = '', fate]) => void this.#it.node(id).reportSnapshot(peer, fate === 'arrived'),
    pause: (id, [ticks = '0']) => void this.#it.node(id).resumeAfterPause(Number(ticks)),
    work: (_id, _rest, ids) => ids.map((id) => this.#work(id)).join('\n'),
    hold: (id) => this.#hold(id),
    write: (id, [count]) => this.#write(id, count),
    deliver: (_id, _rest, words) => this.#deliver(words),
    drop: (_id, _rest, words) => this.#it.drop(matching(words)).map((message) => describeMessage(message)).join('\n'),
    settle: () => void this.#it.settle(),
    cut: (id, [to = '']) => void this.#it.cut(id, to),
    isolate: (id) => void this.#it.isolate(id),
    heal: () => void this.#it.heal(),
    crash: (id) => void this.#it.crash(id),
    restart: (id) => void this.#it.restart(id),
    compact: (id, [index = '0']) => void this.#it.member(id).disk.compact(Number(index)),
    status: (_id, _rest, ids) => ids.map((id) => describeStatus(this.#it.node(id).status())).join('\n'),
    roles: () => this.#roles(),
    log: (id) => this.#it.log(id).join('\n') || 'empty',
    machine: (id) => this.#it.commands(id).join(' ') || 'empty',
    conf: (id) => describeConf(this.#it.node(id).status().conf),
    reads: (id) => this.#reads(id),
  };

  /** `cluster a b c learner=d witness=c outside=e key=value`. */
  #setUp(words: readonly string[]): undefined {
    const named = (name: string): string[] =>
      words.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
    const config: Record<string, unknown> = {};
    for (const word of words) {
      const [key = '', value] = word.split('=');
      if (value === undefined || ['learner', 'witness', 'outside'].includes(key)) continue;
      config[key] =
        value === 'true' || value === 'false' ? value === 'true' : Number.isNaN(Number(value)) ? value : Number(value);
    }
    const voters = words.filter((word) => !word.includes('='));
    this.#cluster = new TestCluster({
      voters,
      learners: named('learner'),
      witnesses: named('witness'),
      outside: named('outside'),
      config,
    });
    return undefined;
  }

  /** `leave a b c`: the leader leaves its vote to one of those, and ends. What was on its way, and in its disk, goes on. */
  #leave(id: string, candidates: readonly string[]): string {
    const farewell = this.#it.leave(id, candidates);
    if (farewell === undefined) return 'nobody can take it';
    return farewell.map((message) => describeMessage(message)).join('\n');
  }

  #seal(id: string): string {
    const { settled, copies, aloneIndex } = this.#it.node(id).status();
    const decides = aloneIndex === 0 ? '' : ` decides ${aloneIndex}`;
    return `${id} ${settled ? 'settled' : 'not settled'} copies=${copies}${decides}`;
  }

  /** One Ready, described before it is worked on. */
  #work(id: string): string {
    const { node } = this.#it.member(id);
    const lines: string[] = [];
    const original = node.ready.bind(node);
    node.ready = () => {
      const ready = original();
      lines.push(
        `${id}:`,
        ...describeReady(ready)
          .split('\n')
          .filter(Boolean)
          .map((line) => `  ${line}`),
      );
      return ready;
    };
    try {
      if (!this.#it.work(id)) lines.push(`${id}: nothing to do`);
    } finally {
      node.ready = original;
    }
    return lines.join('\n');
  }

  /** A tick, then everything that follows from it; so many times. */
  #rounds(id: string, count: number): undefined {
    for (let i = 0; i < count; i++) {
      this.#it.tick(id);
      this.#it.settle();
    }
    return undefined;
  }

  /** Entries below `from` are not in memory; 0: all are, and the node is told. */
  #memory(id: string, from: number): undefined {
    this.#it.member(id).disk.inMemoryFrom = from;
    if (from === 0) this.#it.node(id).onEntriesFetched();
    return undefined;
  }

  #disk(id: string): string {
    const { hardState, base, kept } = this.#it.member(id).disk;
    const entries = kept.map((entry) => describeEntry(entry)).join(', ');
    return `${id} ${describeHardState(hardState)} after ${base.term}/${base.index} [${entries}]`;
  }

  /** The node starts anew in that term, with a log of entries of those terms. */
  #start(id: string, term: number, terms: readonly number[]): undefined {
    const { disk } = this.#it.member(id);
    disk.hardState = { term, vote: '', commit: 0 };
    disk.kept = terms.map((one, i) => makeEntry(i + 1, one, 'normal', 0, new TextEncoder().encode(`${one}.${i + 1}`), undefined));
    this.#it.restart(id);
    return undefined;
  }

  /** `partition a b | c d e`: links between the groups are cut, and no others. */
  #partition(words: readonly string[]): undefined {
    this.#it.heal();
    const groups = words
      .join(' ')
      .split('|')
      .map((group) => group.trim().split(' '));
    for (const group of groups)
      for (const other of groups) if (group !== other) for (const from of group) for (const to of other) this.#it.cut(from, to);
    return undefined;
  }

  /** `repeat append-request a->b`: what was sent last and matches arrives once more; `repeat 2 …`: the one before it. */
  #repeat(words: readonly string[]): string {
    const back = Number(words[0]);
    const chosen = this.#it.sent.filter(matching(Number.isNaN(back) ? words : words.slice(1)));
    const message = chosen.at(Number.isNaN(back) ? -1 : -back);
    if (message === undefined) return 'nothing of that kind was sent';
    this.#it.receive(message);
    return describeMessage(message);
  }

  #hold(id: string): undefined {
    this.#it.member(id).holdsWrites = true;
    return undefined;
  }

  #write(id: string, count: string | undefined): undefined {
    this.#it.finishWrites(id, count === undefined ? undefined : Number(count));
    if (count === undefined) this.#it.member(id).holdsWrites = false;
    return undefined;
  }

  #deliver(words: readonly string[]): string {
    const chosen = matching(words);
    const lines = this.#it.network.filter(chosen).map((message) => describeMessage(message));
    this.#it.deliver(chosen);
    return lines.join('\n');
  }

  #roles(): string {
    return [...this.#it.members.values()]
      .map(({ id, node, alive }) => {
        const { role, term, leader } = node.status();
        return alive ? `${id} ${role} term=${term} leader=${leader || 'none'}` : `${id} dead`;
      })
      .join('\n');
  }

  #reads(id: string): string {
    return this.#it
      .member(id)
      .reads.map(({ context, index, rejected }) => `${context} ${rejected ? 'rejected' : `at ${index}`}`)
      .join('\n');
  }
}

/** `a->b`, `->b`, `a->` or a message type; all of them must hold. */
function matching(words: readonly string[]): (message: Message) => boolean {
  return (message) =>
    words.every((word) => {
      const [from, to] = word.split('->');
      if (to === undefined) return message.type === word;
      return (from === '' || from === message.from) && (to === '' || to === message.to);
    });
}

function said(outcome: { readonly ok: boolean; readonly reason?: string }): string | undefined {
  return outcome.ok ? undefined : `refused: ${outcome.reason}`;
}
