// What every page has: the top bar, the banner for an agent that does not answer, the list of keys.
import { type Child, type Drawn, draw, found, h } from "./dom";
import { clock, duration } from "./format";
import type { Outage } from "./poll";
import { shape } from "./states";
import { chosenTheme, nextTheme } from "./themes";

export interface Frame {
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly outage: Outage | null;
  readonly pictureSeconds: number | null; // the agent's clock when it last answered
  readonly tryNow: () => void;
  readonly keys: readonly (readonly [keys: readonly string[], does: string])[];
}

export function drawPage(frame: Frame, ...content: Child[]): void {
  document.body.classList.toggle("stale", frame.outage !== null);
  draw(found("page"), bar(frame), banner(frame), h("main", {}, ...content), keyList(frame));
}

function bar(frame: Frame): Drawn {
  const facts = frame.facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return h(
    "header",
    { class: "bar keep" },
    h("div", { class: "where" }, h("a", { class: "brand", href: "/" }, "Foretide")),
    h("dl", { "aria-label": "Agent" }, ...facts),
    h("div", { class: "end" }, h("span", { class: "muted zone", title: "All times are UTC" }, "UTC"), themeButton()),
  );
}

function themeButton(): Drawn {
  return h("button", { class: "plain", id: "theme", onclick: changeTheme }, `Theme: ${chosenTheme()}`);
}

export function changeTheme(): void {
  nextTheme();
  found("theme").textContent = `Theme: ${chosenTheme()}`;
}

function banner({ outage, pictureSeconds, tryNow }: Frame): Child {
  if (outage === null) return h("div", { hidden: true });
  const picture = pictureSeconds === null ? "" : ` This is the picture of ${clock(pictureSeconds)}.`;
  const words = h(
    "span",
    { class: "grow" },
    h("b", {}, `No answer from the agent since ${clock(outage.sinceSeconds)}.`),
    `${picture} KEDA may still be served: it does not depend on this page.`,
  );
  const next = h("span", { class: "muted" }, `next try in ${duration(Math.max(1, outage.nextTryMilliseconds / 1000))}`);
  const mark = h("span", { class: "warn" }, shape("Unreachable"));
  return h("div", { class: "banner", role: "status" }, mark, words, next, h("button", { onclick: tryNow }, "Try now"));
}

function keyList({ keys }: Frame): Drawn {
  const rows = keys.map(([names, does]) => [
    h("dt", {}, ...names.flatMap((name, index) => (index === 0 ? [h("kbd", {}, name)] : [" ", h("kbd", {}, name)]))),
    h("dd", {}, does),
  ]);
  return h(
    "dialog",
    { id: "keys", "aria-label": "Keys" },
    h("h2", {}, "Keys"),
    h("dl", { class: "kv" }, ...rows.flat()),
    h("form", { method: "dialog" }, h("button", {}, "Close")),
  );
}

/** Keys that act anywhere but in a field; a page adds its own. */
export function listenToKeys(own: Readonly<Record<string, () => void>>): void {
  const actions: Readonly<Record<string, () => void>> = { t: changeTheme, "?": toggleKeys, ...own };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== "range";
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function toggleKeys(): void {
  const dialog = found("keys") as HTMLDialogElement;
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/** What stands in for a page that has waited 300 ms for its first answer: its own grid, in grey. */
export function skeleton(columns: number, rows: number, words: string): Drawn[] {
  const cells = Array.from({ length: columns }, (_, index) => {
    return h("td", {}, h("i", { style: { width: `${35 + ((index * 37) % 55)}%` } }));
  });
  const lines = Array.from({ length: rows }, () => h("tr", {}, ...cells));
  return [h("p", { class: "faint" }, words), h("table", { class: "fleet skel" }, h("tbody", {}, ...lines))];
}

/** A button that copies a text, and says so. */
export function copyButton(text: string, label = "Copy"): Drawn {
  const copy = async (event: Event): Promise<void> => {
    const button = event.currentTarget as HTMLButtonElement;
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1500);
  };
  return h("button", { class: "link", onclick: (event: Event) => void copy(event) }, label);
}
