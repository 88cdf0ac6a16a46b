/** A write on the user's behalf: the outcome becomes a sentence, whatever it is. */
import { h, setAttribute, setText } from '../../src/inspector/dom.ts';
import { seconds } from '../narrator.ts';
import type { DemoNode } from '../open.ts';
import type { Page } from '../page.ts';
import { codeOf, sentenceOf } from '../sentences.ts';

export interface Acting {
  /** Where the outcome is told. */
  readonly element: HTMLElement;
  /** Remembers the node that writes go to. */
  update(page: Page): void;
  /** Runs a write and tells its outcome; never rejects. False when there was nothing to write to. */
  act(write: (node: DemoNode, name: string) => Promise<string>): Promise<void>;
}

export function acting(testId: string): Acting {
  const element = h('p', { class: 'outcome', role: 'status', 'data-testid': testId });
  let page: Page | undefined;
  const tell = (text: string, level: 'good' | 'bad', code?: string): void => {
    setText(element, text);
    setAttribute(element, 'data-level', level);
    setAttribute(element, 'data-code', code);
  };
  return {
    element,
    update: (next) => {
      page = next;
    },
    act: async (write) => {
      const node = page?.node;
      if (!page || !node) return tell('This tab is not open yet.', 'bad');
      const started = performance.now();
      try {
        const outcome = await write(node, page.people.nameOf(node.id));
        tell(`${outcome} (${seconds(performance.now() - started)})`, 'good');
      } catch (error) {
        const { title, text } = sentenceOf(error);
        tell(`${title}. ${text}`, 'bad', codeOf(error));
      }
    },
  };
}
