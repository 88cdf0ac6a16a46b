/** docs/TESTING.md: its example is a test that runs, and its table names what there is. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Device } from '../../src/testing/playwright/device.ts';
import { Tab } from '../../src/testing/playwright/tab.ts';
import { Tabs } from '../../src/testing/playwright/tabs.ts';

const text = readFileSync('docs/TESTING.md', 'utf8');

test('the example is the text of a spec that runs', () => {
  const [, shown = ''] = /^```ts\nimport [^\n]* from 'tabraft\/testing\/playwright';\n\n([\s\S]*?)^```$/m.exec(text) ?? [];
  const spec = readFileSync('test/e2e/fixtures.spec.ts', 'utf8');
  const [, run = ''] = /docs\/TESTING\.md begins\n([\s\S]*?)\/\/ --- docs\/TESTING\.md ends/.exec(spec) ?? [];
  expect(shown.length).toBeGreaterThan(500);
  expect(shown).toBe(run);
});

test('every method of the fixtures is in the table, and the table names no other', () => {
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  for (const [name, { prototype }] of Object.entries({ tab: Tab, device: Device, tabs: Tabs })) {
    const own = Object.getOwnPropertyNames(prototype).filter(
      (key) => typeof Reflect.getOwnPropertyDescriptor(prototype, key)?.value === 'function',
    );
    // Called by the fixtures themselves.
    const inner = [
      'constructor',
      'cut',
      'adopt',
      'remove',
      ...(name === 'device' ? ['wipe'] : []),
      ...(name === 'tabs' ? ['close'] : []),
    ];
    const said = new Set([...rows.join('\n').matchAll(new RegExp(`\\b${name}\\.(\\w+)\\(`, 'g'))].map(([, method]) => method));
    expect([...said].sort(), name).toEqual(own.filter((key) => !inner.includes(key)).sort());
  }
});
