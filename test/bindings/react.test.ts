// @vitest-environment jsdom
/** The hooks in React itself: StrictMode, inline selectors, Suspense, a server, commands, and nodes that come and go. */
import { act, createElement, type FunctionComponent, type ReactNode, StrictMode, Suspense } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KEPT_MS } from '../../src/bindings/opening.ts';
import {
  useCommand,
  useLeader,
  useNode,
  usePending,
  usePresence,
  useRaft,
  useReadiness,
  useReady,
  useStatus,
} from '../../src/bindings/react.ts';
import type { BankNode } from '../runtime/cluster.ts';
import { bench, fakeNodes } from './counter.ts';

let place: HTMLElement;
let root: Root;
beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  place = document.body.appendChild(document.createElement('div'));
  root = createRoot(place);
});
afterEach(async () => {
  await act(async () => root.unmount());
  place.remove();
});

const render = (component: FunctionComponent): Promise<void> =>
  act(async () => root.render(createElement(StrictMode, null, createElement(component))));
const shows = (text: string): Promise<void> => act(() => vi.waitFor(() => expect(place.textContent).toBe(text)));
const h = createElement;

interface OfNode {
  readonly node: BankNode;
}
type Open = ReturnType<typeof fakeNodes>['open'];

const Seat: FunctionComponent<OfNode & { readonly seat: string }> = ({ node, seat }) =>
  useRaft(node, (state) => state.owners[seat] ?? 'free');
const Patient: FunctionComponent<OfNode> = ({ node }) => {
  useReady(node);
  return useRaft(node, ({ balance }) => `balance ${balance}`);
};
const ServerPage: FunctionComponent<Partial<OfNode>> = ({ node }) => {
  const balance = useRaft(node, (state) => state.balance, 'loading');
  const [others] = usePresence(node);
  return h('p', null, `${balance} ${others.length} ${useLeader(node).isLeader} ${useReadiness(node).kind}`);
};
const Part: FunctionComponent<{ readonly open: Open }> = ({ open }) => {
  const opening = useNode('shared', open);
  return h('i', null, opening.kind === 'open' ? opening.node.name : opening.kind);
};

test('a value shows each change once, with a selector written in place that makes it anew', async () => {
  await using b = await bench();
  let renders = 0;
  await render(() => {
    renders += 1;
    const { balance, names } = useRaft(b.node, (state) => ({ balance: state.balance, names: Object.values(state.owners) }));
    return `${balance} ${names.join()}`;
  });
  await shows('0 ');
  const before = renders;
  await act(() => b.node.propose({ type: 'note', text: 'of no interest' }));
  expect(renders).toBe(before);
  await act(() => b.node.propose({ type: 'book', seat: 'A1', name: 'ann' }));
  await shows('0 ann');
  let writing: Promise<unknown> = Promise.resolve();
  await act(async () => {
    writing = b.node.optimistic({ type: 'add', amount: 2 }).done;
  });
  await shows('2 ann');
  await act(() => writing);
  await shows('2 ann');
});

test('a selector that depends on props shows the new one at once', async () => {
  await using b = await bench();
  await b.node.propose({ type: 'book', seat: 'A1', name: 'ann' });
  await b.node.propose({ type: 'book', seat: 'B2', name: 'bob' });
  for (const [seat, owner] of [
    ['A1', 'ann'],
    ['B2', 'bob'],
    ['C3', 'free'],
  ] as const) {
    await act(async () => root.render(h(StrictMode, null, h(Seat, { node: b.node, seat }))));
    expect(place.textContent).toBe(owner);
  }
});

test('leader, status, presence, pending and readiness', async () => {
  await using b = await bench();
  const later = await b.cluster.open();
  await later.node.ready;
  await render(() => {
    const { isLeader } = useLeader(b.node);
    const role = useStatus(b.node, (status) => status.role);
    const [others] = usePresence<string>(b.node);
    const readiness = useReadiness(b.node);
    const pending = usePending(b.node);
    return [isLeader, role, others.map(({ state }) => state).join(), readiness.kind, pending.length].join(' ');
  });
  later.node.presence.set('hello');
  await shows('true leader hello ready 0');
});

test('Suspense waits for ready', async () => {
  await using b = await bench();
  await render(() => h(Suspense, { fallback: 'waiting' }, h(Patient, { node: b.node })));
  await shows('balance 0');
});

test('on a server there is no node, and what is shown is said', () => {
  expect(renderToString(h(ServerPage))).toBe('<p>loading 0 false waiting</p>');
});

test('a command tells how many are on their way, and the error of the last', async () => {
  const answers: { resolve(value: string): void; reject(error: unknown): void }[] = [];
  let run: (seat: string) => Promise<string | undefined> = async () => undefined;
  await render(() => {
    const command = useCommand((_seat: string) => new Promise<string>((resolve, reject) => answers.push({ resolve, reject })));
    run = command.run;
    return `${command.pending} ${command.error instanceof Error ? command.error.message : ''}`;
  });
  let results: Promise<unknown> = Promise.resolve();
  await act(async () => {
    results = Promise.all([run('A1'), run('A2')]);
  });
  await shows('2 ');
  await act(async () => answers[0]?.resolve('mine'));
  await shows('1 ');
  await act(async () => answers[1]?.reject(new Error('taken')));
  await shows('0 taken');
  expect(await results).toEqual(['mine', undefined]);
});

test('one node under StrictMode and for two components, stopped when nobody wants it', async () => {
  const { log, open } = fakeNodes();
  await render((): ReactNode => [h(Part, { key: 1, open }), h(Part, { key: 2, open })]);
  await shows('node 1node 1');
  expect(log).toEqual(['open node 1']);
  vi.useFakeTimers();
  try {
    await act(async () => root.render(null));
    await vi.advanceTimersByTimeAsync(KEPT_MS);
    expect(log).toEqual(['open node 1', 'stop node 1']);
  } finally {
    vi.useRealTimers();
  }
});
