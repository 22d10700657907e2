// Draws by description: what is there already is changed in place, so that focus, selection and scrolling stay.

type Handler = (event: Event) => void;
export type Attribute = string | number | boolean | null | undefined | Handler | Readonly<Record<string, string>>;
export type Child = VNode | string | null | false | readonly Child[];

interface VNode {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly children: readonly (VNode | string)[];
}

export type Drawn = VNode;

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "g"]);
const drawnAttributes = new WeakMap<Element, Readonly<Record<string, Attribute>>>();

/**
 * Describes an element. Attributes that are false or missing are left out, `onclick` and the like are handlers,
 * `style` is a record of properties (a CSP without inline styles allows no text), `key` tells siblings apart, and
 * `opaque` leaves the children to somebody else.
 */
export function h(tag: string, attributes: Readonly<Record<string, Attribute>> = {}, ...children: Child[]): Drawn {
  return { tag, attributes, children: flat(children) };
}

/** Makes the children of an element what is described. */
export function draw(parent: Element, ...children: Child[]): void {
  const wanted = flat(children);
  wanted.forEach((child, index) => place(parent, parent.childNodes[index], child));
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

function flat(children: readonly Child[]): (VNode | string)[] {
  return children.flatMap((child): (VNode | string)[] => {
    if (child === null || child === false) return [];
    if (typeof child === "string") return [child];
    return Array.isArray(child) ? flat(child as readonly Child[]) : [child as VNode];
  });
}

function place(parent: Element, there: ChildNode | undefined, wanted: VNode | string): void {
  if (typeof wanted === "string") {
    if (there instanceof Text) {
      if (there.data !== wanted) there.data = wanted;
    } else {
      put(parent, there, document.createTextNode(wanted));
    }
    return;
  }
  const element = there instanceof Element && isSame(there, wanted) ? there : put(parent, there, create(wanted.tag));
  update(element, wanted.attributes);
  if (wanted.attributes["opaque"] !== true) draw(element, ...wanted.children);
}

function put<T extends ChildNode>(parent: Element, there: ChildNode | undefined, fresh: T): T {
  if (there === undefined) parent.append(fresh);
  else there.replaceWith(fresh);
  return fresh;
}

function create(tag: string): Element {
  return SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
}

function isSame(element: Element, wanted: VNode): boolean {
  return element.localName === wanted.tag && drawnAttributes.get(element)?.["key"] === wanted.attributes["key"];
}

function update(element: Element, wanted: Readonly<Record<string, Attribute>>): void {
  const before = drawnAttributes.get(element) ?? {};
  for (const name of Object.keys(before)) if (!(name in wanted)) set(element, name, null);
  for (const [name, value] of Object.entries(wanted)) if (before[name] !== value) set(element, name, value);
  drawnAttributes.set(element, wanted);
}

function set(element: Element, name: string, value: Attribute): void {
  if (name === "key" || name === "opaque") return;
  if (name.startsWith("on")) {
    Object.assign(element, { [name]: typeof value === "function" ? value : null });
  } else if (typeof value === "object" && value !== null) {
    const { style } = element as HTMLElement;
    for (const [property, text] of Object.entries(value)) style.setProperty(property, text);
  } else if (name === "value" && element instanceof HTMLInputElement) {
    if (element.value !== value) element.value = String(value ?? "");
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** The element of that id, which the page itself has drawn. */
export function found(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`nothing on the page has the id ${id}`);
  return element;
}
