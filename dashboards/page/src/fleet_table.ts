// The table of the fleet: one row of 32 px per policy, drawn where it is in view.
import type { PolicySummary, Trend } from "./documents";
import { type Child, type Drawn, h } from "./dom";
import { type Column, isOverspent, keyOf, type Order } from "./fleet_order";
import { duration, number, share } from "./format";
import { sparkline } from "./sparkline";
import { briefState, stateMark } from "./states";

export interface Heading {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  readonly column: Column | null;
  readonly width: string | null;
  readonly isNumber: boolean;
}

function heading(id: string, label: string, width: string | null, rest: Partial<Heading> = {}): Heading {
  return { id, label, note: "", column: null, width, isNumber: false, ...rest };
}

export const HEADINGS: readonly Heading[] = [
  heading("name", "Policy", "8.5rem", { column: "name" }),
  heading("ns", "Namespace", "5.75rem", { column: "namespace" }),
  heading("mode", "Mode", "4.25rem", { column: "mode" }),
  heading("state", "State", "11rem", { column: "state", note: "needs a person first" }),
  heading("spark", "Demand", "8rem", { note: "3 h back, 1 h ahead" }),
  heading("rep", "Replicas", "5.5rem", { column: "replicas", note: "now → needed", isNumber: true }),
  heading("lead", "Lead time", "6.5rem", { column: "lead", note: "start-up", isNumber: true }),
  heading("model", "Trusted model", "8rem", { column: "model" }),
  heading("risk", "Risk kept", "9rem", { column: "risk", note: "actual of allowed", isNumber: true }),
  heading("why", "Newest reason", null),
];

export interface Rows {
  readonly policies: readonly PolicySummary[]; // those drawn
  readonly first: number; // how many stand above them
  readonly total: number;
  readonly rowHeight: number;
}

export interface Table {
  readonly rows: Rows;
  readonly order: Order;
  readonly trends: ReadonlyMap<string, Trend>;
  readonly chosen: string | null; // key of the row that has the tab stop
  readonly sortBy: (column: Column) => void;
  readonly choose: (key: string) => void;
}

export function fleetTable(table: Table): Drawn {
  const { policies, first, total, rowHeight } = table.rows;
  const columns = HEADINGS.map(({ id, width }) => h("col", { class: `c-${id}`, style: width === null ? {} : { width } }));
  return h(
    "table",
    { class: "fleet keep", "aria-rowcount": total + 1, "aria-label": "Policies" },
    h("colgroup", {}, ...columns),
    h("thead", {}, h("tr", {}, ...HEADINGS.map((each) => headCell(each, table)))),
    h(
      "tbody",
      {},
      spacer("above", first * rowHeight),
      policies.map((policy, index) => row(policy, first + index, table)),
      spacer("below", (total - first - policies.length) * rowHeight),
    ),
  );
}

function spacer(key: string, pixels: number): Child {
  if (pixels <= 0) return null;
  return h("tr", { key, class: "spacer", "aria-hidden": "true", style: { height: `${pixels}px` } });
}

function headCell({ id, label, note, column, isNumber }: Heading, { order, sortBy }: Table): Drawn {
  const isSorted = column !== null && column === order.column;
  const direction = order.isDescending ? "descending" : "ascending";
  const text = isSorted ? `${label} ${order.isDescending ? "↓" : "↑"}` : label;
  return h(
    "th",
    { scope: "col", class: `c-${id}${isNumber ? " num" : ""}`, "aria-sort": isSorted ? direction : null },
    column === null ? h("span", { class: "label" }, text) : h("button", { onclick: () => sortBy(column) }, text),
    h("small", {}, note),
  );
}

function row(policy: PolicySummary, index: number, { trends, chosen, choose }: Table): Drawn {
  const key = keyOf(policy);
  const cell = (id: string, classes: string, ...children: Child[]): Drawn =>
    h("td", { class: `c-${id} ${classes}` }, ...children);
  return h(
    "tr",
    {
      key,
      "data-key": key,
      tabindex: key === chosen ? 0 : -1,
      "aria-rowindex": index + 2,
      onfocus: () => choose(key),
      onkeydown: openOnEnter,
    },
    cell("name", "name", h("a", { href: pathOf(policy), tabindex: -1 }, policy.name)),
    cell("ns", "muted", policy.namespace),
    cell("mode", policy.mode === "Shadow" ? "faint" : "", policy.mode),
    cell("state", "", stateMark(policy, briefState(policy))),
    cell("spark", "", sparkline(trends.get(key))),
    cell("rep", "num", pair(policy)),
    cell("lead", "num", duration(policy.leadTimeSeconds)),
    cell("model", "muted", policy.model ?? "none"),
    cell("risk", "num", riskKept(policy)),
    cell("why", "reason", policy.sentence ?? "no decision yet"),
  );
}

function openOnEnter(event: Event): void {
  const row = event.currentTarget as HTMLElement;
  if ((event as KeyboardEvent).key === "Enter") row.querySelector("a")?.click();
}

export function pathOf(policy: { readonly namespace: string; readonly name: string }): string {
  return `/policies/${encodeURIComponent(policy.namespace)}/${encodeURIComponent(policy.name)}`;
}

function pair({ replicas, answer }: PolicySummary): Drawn {
  const existing = replicas === null ? null : replicas.existing;
  const needed = answer === null ? null : Math.ceil(answer);
  const isSame = existing === needed;
  return h(
    "span",
    { class: `pair${isSame ? " same" : ""}` },
    h("span", {}, existing === null ? "?" : String(existing)),
    h("span", { class: "to" }, "→"),
    h("span", { class: isSame ? "" : "up" }, needed === null ? "–" : String(needed)),
  );
}

function riskKept(policy: PolicySummary): Drawn {
  const allowed = share(policy.risk);
  if (policy.riskUsed === null) return h("span", { class: "faint" }, `allowed ${allowed}`);
  const isOver = isOverspent(policy);
  const used = Math.min(100, (policy.riskUsed / policy.risk) * 66.6);
  return h(
    "span",
    { class: `bullet${isOver ? " over bad" : ""}` },
    `${number(100 * policy.riskUsed, 1)} of ${allowed}`,
    h("i", { style: { "--v": `${used.toFixed(0)}%` } }),
  );
}
