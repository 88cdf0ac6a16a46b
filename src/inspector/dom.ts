/** A few lines instead of a framework. Text goes in as text nodes only: nothing here parses HTML. */

type Attribute = string | number | boolean | undefined | ((event: Event) => void);
export type Child = Node | string | undefined | false;

const SVG = 'http://www.w3.org/2000/svg';

/** An element. `on…` attributes are listeners, `true` an empty attribute, `undefined` and `false` none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag) as SVGElementTagNameMap[K], attributes, children);
}

function fill<E extends Element>(element: E, attributes: Readonly<Record<string, Attribute>>, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

/** Touches the page only when something changes, so that screen readers and selections are left alone. */
export function setAttribute(element: Element, name: string, value: string | number | boolean | undefined): void {
  const text = value === true ? '' : value === false || value === undefined ? undefined : String(value);
  if (text === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setHue(element: HTMLElement | SVGElement, hue: number): void {
  element.style.setProperty('--hue', String(Math.round(hue)));
}

export interface Keyed<E extends Element> {
  readonly element: E;
}

/** Keeps one child per key, in order: makes the new, drops the gone, moves only what moved. */
export function keyed<T, E extends Element, P extends Keyed<E>>(
  parent: Element,
  make: (item: T) => P,
): (items: readonly T[], keyOf: (item: T) => string, update: (part: P, item: T) => void) => void {
  const parts = new Map<string, P>();
  return (items, keyOf, update) => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, part] of parts) {
      if (wanted.has(key)) continue;
      part.element.remove();
      parts.delete(key);
    }
    let next = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let part = parts.get(key);
      if (!part) {
        part = make(item);
        parts.set(key, part);
      }
      update(part, item);
      if (part.element === next) next = next.nextElementSibling;
      else parent.insertBefore(part.element, next);
    }
  };
}
