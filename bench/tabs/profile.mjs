/** Where a tab spends its time, by function, from a CPU profile taken over CDP. */

/** Functions shown. */
const ROWS = 35;

export async function hottest(pages, clients, ms) {
  const work = () => pages[0].evaluate(([n, duration]) => globalThis.bench.load('tabraft', n, duration), [clients, ms]);
  await work();
  for (const [place, page] of pages.entries()) {
    if (place === 2) break;
    const session = await page.context().newCDPSession(page);
    await session.send('Profiler.enable');
    await session.send('Profiler.setSamplingInterval', { interval: 200 });
    await session.send('Profiler.start');
    const figures = await work();
    const { profile } = await session.send('Profiler.stop');
    console.log(`\n${place === 0 ? 'leader' : 'follower'}: ${figures.perSecond.toFixed(0)} operations/s at ${clients} clients`);
    print(profile);
  }
}

function print({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const self = new Map();
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0);
  samples.forEach((id, i) => {
    const { functionName, lineNumber } = byId.get(id).callFrame;
    const name = `${functionName || '(anonymous)'}:${lineNumber + 1}`;
    self.set(name, (self.get(name) ?? 0) + timeDeltas[i]);
  });
  const rows = [...self].sort((a, b) => b[1] - a[1]).slice(0, ROWS);
  for (const [name, micros] of rows) console.log(`  ${((100 * micros) / total).toFixed(1).padStart(5)} %  ${name}`);
}
