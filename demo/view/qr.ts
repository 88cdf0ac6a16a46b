/** A link as a picture, so that a phone comes into the room without typing. The only importer of `uqr`. */
import { encode } from 'uqr';
import { s, setAttribute } from '../../src/inspector/dom.ts';

/** Modules of quiet around the code: what readers ask for. */
const BORDER = 4;

export interface QrCode {
  readonly element: SVGElement;
  /** What it says; nothing is drawn for ''. */
  show(text: string): void;
}

export function qrCode(testId: string): QrCode {
  const path = s('path', {});
  const element = s(
    'svg',
    { class: 'qr', role: 'img', 'aria-label': 'The link as a QR code', 'data-testid': testId, hidden: true },
    path,
  );
  let shown = '';
  return {
    element,
    show: (text) => {
      if (text === shown) return;
      shown = text;
      setAttribute(element, 'hidden', text === '');
      if (text === '') return;
      const { data, size } = encode(text, { border: BORDER });
      setAttribute(element, 'viewBox', `0 0 ${size} ${size}`);
      // Rows of dark modules, each a run of one.
      const runs = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
      setAttribute(path, 'd', runs.join(''));
    },
  };
}
