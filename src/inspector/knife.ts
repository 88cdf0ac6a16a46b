/** Cutting links in the picture: by a line drawn across them, by a tap on one, or by the keyboard. */
import { s, setAttribute } from './dom.ts';
import type { Knife } from './inspected.ts';
import { crosses, type Point } from './layout.ts';

/** A drag shorter than this is a tap: units of the picture. */
const DRAG_MIN = 8;

/** A link as it is drawn. */
export interface Cuttable {
  readonly ids: readonly [string, string];
  readonly ends: readonly [Point, Point];
}

export interface Blade {
  /** Makes a drawn link one that can be cut. */
  handle(element: SVGGElement, link: () => Cuttable): void;
}

export function bladeFor(
  picture: SVGSVGElement,
  layer: SVGGElement,
  knife: () => Knife | undefined,
  links: () => readonly Cuttable[],
): Blade {
  const stroke = s('line', { class: 'knife' });
  let from: Point | undefined;
  let to: Point | undefined;
  /** A drag that ends on a link must not count as a tap on it too. */
  let wasDrag = false;
  const draw = (): void => {
    const isDrawn = from !== undefined && to !== undefined && isFar(from, to);
    if (!isDrawn || from === undefined || to === undefined) return stroke.remove();
    for (const [name, value] of Object.entries({ x1: from.x, y1: from.y, x2: to.x, y2: to.y }))
      setAttribute(stroke, name, value.toFixed(1));
    if (stroke.parentNode === null) layer.append(stroke);
  };
  const end = (cuts: boolean): void => {
    const used = knife();
    if (cuts && used !== undefined && from !== undefined && to !== undefined && isFar(from, to)) {
      wasDrag = true;
      const [a, b] = [from, to];
      for (const { ids, ends } of links()) if (crosses(a, b, ...ends)) used.use(...ids);
    }
    from = undefined;
    to = undefined;
    draw();
  };
  picture.addEventListener('pointerdown', (event) => {
    wasDrag = false;
    if (knife() !== undefined && event.isPrimary && event.button === 0) from = pointIn(picture, event);
  });
  picture.addEventListener('pointermove', (event) => {
    if (from === undefined || !event.isPrimary) return;
    to = pointIn(picture, event);
    // Not before it is a drag: a tap on a link has to reach it.
    if (to !== undefined && isFar(from, to) && !picture.hasPointerCapture(event.pointerId))
      picture.setPointerCapture(event.pointerId);
    draw();
  });
  picture.addEventListener('pointerup', () => end(true));
  // The page is scrolled, or another finger came down.
  picture.addEventListener('pointercancel', () => end(false));
  return {
    handle: (element, link) => {
      element.addEventListener('click', () => {
        if (!wasDrag) knife()?.use(...link().ids);
      });
      element.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        knife()?.use(...link().ids);
      });
    },
  };
}

function isFar(a: Point, b: Point): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) >= DRAG_MIN;
}

function pointIn(picture: SVGSVGElement, { clientX, clientY }: PointerEvent): Point | undefined {
  const matrix = picture.getScreenCTM()?.inverse();
  return matrix === undefined ? undefined : new DOMPoint(clientX, clientY).matrixTransform(matrix);
}
