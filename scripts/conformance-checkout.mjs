// Replays the tables of a checkout of etcd-io/raft against the core: confchange/testdata and quorum/testdata. Its
// transcripts of whole clusters (testdata/) need the environment that they were written in, and are not read here.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A file of cases: a line of command and arguments, lines of input, four dashes, the output, an empty line.
 * @param {string} text
 */
export function casesIn(text) {
  const cases = [];
  for (const block of text.split(/\n\s*\n/)) {
    const lines = block.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
    const dashes = lines.indexOf('----');
    if (dashes < 1) continue;
    const [head = '', ...input] = lines.slice(0, dashes);
    const [command = '', ...words] = head.trim().replace(/,\s+/g, ',').split(/\s+/);
    const args = new Map(words.map((word) => [word.split('=')[0], listOf(word.split('=')[1] ?? '')]));
    cases.push({ command, args, input: input.join(' ').split(/\s+/).filter(Boolean), output: lines.slice(dashes + 1) });
  }
  return cases;
}

/** `(1,2)` or `x`; the word zero stands for a list that is there and empty. */
function listOf(text) {
  const inner = text.replace(/^\(|\)$/g, '');
  return inner === '' || inner === 'zero' ? [] : inner.split(',').map((item) => item.trim());
}

/** Changes of a configuration follow each other within a file. */
function replayChanges(cases, pure) {
  let config = pure.newConfig();
  return cases.map(({ command, args, input, output }, last) => {
    const changes = input.map((word) => ({ op: word[0], id: Number(word.slice(1)) }));
    let text;
    try {
      ({ config, text } = pure.change(config, last, command, changes, args.get('autoleave')?.[0] === 'true'));
    } catch (error) {
      text = error.message;
    }
    return [text, output.join('\n')];
  });
}

/** Only the end of the last line: before it stands a drawing, or that there are no voters. */
function replayQuorums(cases, pure) {
  return cases.map(({ command, args, output }) => {
    const halves = ['cfg', 'cfgj'].map((name) => (args.get(name) ?? []).map(Number));
    const ids = [...new Set(halves.flat())];
    const said = args.get(command === 'vote' ? 'votes' : 'idx') ?? [];
    const expected = (output.at(-1) ?? '').replace(/^<.*>/, '').trim();
    if (command === 'vote') {
      const votes = ids.flatMap((id, i) => (said[i] === 'y' || said[i] === 'n' ? [[id, said[i] === 'y']] : []));
      return [pure.voteResult(halves, new Map(votes)), expected];
    }
    const index = pure.committedIndex(halves, (id) => {
      const value = said[ids.indexOf(id)];
      return value === undefined || value === '_' ? undefined : Number(value);
    });
    return [index === Number.POSITIVE_INFINITY ? '∞' : String(index), expected];
  });
}

/**
 * True when every case of every table says the same; false too when there is none.
 * @param {string} checkout
 * @param {object} pure the core's maths, as test/conformance/pure.ts exports it
 * @param {(line: string) => void} print
 */
export function replayCheckout(checkout, pure, print) {
  let right = 0;
  let wrong = 0;
  const tables = [
    ['confchange', replayChanges],
    ['quorum', replayQuorums],
  ];
  for (const [name, replay] of tables) {
    const folder = join(checkout, name, 'testdata');
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.txt')) : [];
    let cases = 0;
    for (const file of files) {
      for (const [ours, theirs] of replay(casesIn(readFileSync(join(folder, file), 'utf8')), pure)) {
        cases += 1;
        if (ours === theirs) right += 1;
        else {
          wrong += 1;
          print(`${name}/${file}, case ${cases}: here\n${ours}\nthere\n${theirs}`);
        }
      }
    }
    if (cases === 0) {
      print(`conformance: no cases in ${folder}`);
      wrong += 1;
    }
  }
  print(`checkout: ok ${right}, failed ${wrong}`);
  return wrong === 0;
}
