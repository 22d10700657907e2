// The fleet: every policy in a line, what needs a person first.
import * as api from "./api";
import type { Mode, PolicyList, PolicySummary, State, Trend } from "./documents";
import { type Child, type Drawn, found, h } from "./dom";
import { type Column, type Filter, keyOf, matches, nearestName, type Order, sorted } from "./fleet_order";
import { fleetTable, HEADINGS, type Rows } from "./fleet_table";
import { age, clock, plural, toSeconds } from "./format";
import { drawPage, listenToKeys, skeleton } from "./frame";
import { type Outage, Poll } from "./poll";
import { shape, STATES } from "./states";

const PERIOD_MILLISECONDS = 2000;
const TREND_PERIOD_MILLISECONDS = 10_000;
const SLOW_MILLISECONDS = 300;
const ROW_PIXELS = 32;
const ROWS_BEYOND_VIEW = 20;
// below that width a row has three lines, and its height is its own
const NARROW = matchMedia("(max-width: 640px)");

const KEYS = [
  [["/"], "filter"],
  [["Esc"], "leave the filter"],
  [["j", "k"], "next or previous policy"],
  [["Enter"], "open the policy"],
  [["s"], "sort by the next column"],
  [["t"], "theme"],
] as const;

export class FleetPage {
  private list: PolicyList | null = null;
  private trends: ReadonlyMap<string, Trend> = new Map();
  private filter: Filter = { text: "", state: null, mode: null };
  private order: Order = { column: "state", isDescending: false };
  private shownKeys: readonly string[] = [];
  private chosen: string | null = null;
  private outage: Outage | null = null;
  private isSlow = false;
  private readonly poll = new Poll(() => this.refresh(), PERIOD_MILLISECONDS, (outage) => this.show({ outage }));
  private readonly trendPoll = new Poll(() => this.refreshTrends(), TREND_PERIOD_MILLISECONDS, () => this.draw());

  start(): void {
    document.title = "Foretide: fleet";
    listenToKeys({
      "/": () => found("q").focus(),
      j: () => this.step(1),
      k: () => this.step(-1),
      s: () => this.sortByNext(),
    });
    addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => this.draw());
    setTimeout(() => this.show({ isSlow: true }), SLOW_MILLISECONDS);
    this.poll.now();
  }

  private async refresh(): Promise<void> {
    const isFirst = this.list === null;
    this.list = await api.policies();
    this.reorder(false);
    if (isFirst) this.trendPoll.now();
  }

  private async refreshTrends(): Promise<void> {
    const inView = this.rows().policies.map(keyOf).slice(0, 100);
    if (inView.length === 0) return;
    const fresh = await api.trends(inView);
    this.trends = new Map([...this.trends, ...fresh.map((trend) => [keyOf(trend), trend] as const)]);
  }

  private show(change: { outage?: Outage | null; isSlow?: boolean }): void {
    if (change.outage !== undefined) this.outage = change.outage;
    if (change.isSlow !== undefined) this.isSlow = change.isSlow;
    this.draw();
  }

  private change(change: { filter?: Partial<Filter>; order?: Order }): void {
    this.filter = { ...this.filter, ...change.filter };
    this.order = change.order ?? this.order;
    this.reorder(true);
    this.draw();
    this.trendPoll.now();
  }

  /** A refresh never re-sorts under the pointer or the focus; a person's own change does. */
  private reorder(isAsked: boolean): void {
    const policies = (this.list?.policies ?? []).filter((policy) => matches(policy, this.filter));
    const isHeld = !isAsked && document.querySelector(".fleet tbody:is(:hover, :focus-within)") !== null;
    const wanted = sorted(policies, this.order).map(keyOf);
    const stay = new Set(isHeld ? this.shownKeys : []);
    const kept = this.shownKeys.filter((key) => stay.has(key) && wanted.includes(key));
    this.shownKeys = [...kept, ...wanted.filter((key) => !stay.has(key))];
    if (this.chosen === null || !this.shownKeys.includes(this.chosen)) this.chosen = this.shownKeys[0] ?? null;
  }

  private shown(): PolicySummary[] {
    const byKey = new Map((this.list?.policies ?? []).map((policy) => [keyOf(policy), policy]));
    return this.shownKeys.flatMap((key) => byKey.get(key) ?? []);
  }

  /** The rows in view and some either side. */
  private rows(): Rows {
    const all = this.shown();
    const total = all.length;
    const body = document.querySelector(".fleet tbody");
    if (NARROW.matches || body === null) {
      return { policies: all.slice(0, NARROW.matches ? total : 60), first: 0, total, rowHeight: ROW_PIXELS };
    }
    const above = Math.floor(-body.getBoundingClientRect().top / ROW_PIXELS) - ROWS_BEYOND_VIEW;
    const first = Math.min(Math.max(0, above), total);
    const count = Math.ceil(innerHeight / ROW_PIXELS) + 2 * ROWS_BEYOND_VIEW;
    return { policies: all.slice(first, first + count), first, total, rowHeight: ROW_PIXELS };
  }

  private draw(): void {
    const { list, outage } = this;
    const now = list === null ? null : toSeconds(list.now);
    const facts = list === null || now === null ? [] : [["Agent’s time", clock(now)], ["Data", oldestData(list)]] as const;
    const frame = { facts, outage, pictureSeconds: now, tryNow: this.poll.now, keys: KEYS };
    drawPage(frame, h("h1", { class: "sr" }, "Fleet"), ...this.content());
  }

  private content(): Child[] {
    if (this.list === null) {
      const isWaiting = this.isSlow && this.outage === null;
      return isWaiting ? skeleton(HEADINGS.length, 8, "Reading the policies…") : [];
    }
    if (this.list.policies.length === 0) return [empty()];
    return [summary(this.list.policies), this.tools(this.list.policies), ...this.table()];
  }

  private table(): Child[] {
    const rows = this.rows();
    if (rows.total === 0) return [this.noMatch()];
    const { order, trends, chosen } = this;
    const sortBy = (column: Column): void => this.sortBy(column);
    const choose = (key: string): void => {
      this.chosen = key;
      this.draw();
    };
    return [fleetTable({ rows, order, trends, chosen, sortBy, choose }), foot(rows.total, this.list?.policies.length ?? 0)];
  }

  private tools(policies: readonly PolicySummary[]): Drawn {
    const { filter } = this;
    const count = (test: (policy: PolicySummary) => boolean): string => String(policies.filter(test).length);
    const chip = (state: State | null): Drawn =>
      h(
        "button",
        { "aria-pressed": String(filter.state === state), onclick: () => this.change({ filter: { state } }) },
        state === null ? null : shape(state),
        state ?? "All",
        h("span", { class: "n" }, count((policy) => state === null || policy.state === state)),
      );
    const mode = (mode: Mode | null): Drawn =>
      h(
        "button",
        { "aria-pressed": String(filter.mode === mode), onclick: () => this.change({ filter: { mode } }) },
        mode === null ? "Any mode" : `${mode} ${count((policy) => policy.mode === mode)}`,
      );
    return h(
      "div",
      { class: "tools", role: "search" },
      h("div", { class: "find" }, h("label", { class: "sr", for: "q" }, "Filter policies"), this.field(), h("kbd", { "aria-hidden": "true" }, "/")),
      h("div", { class: "chips", role: "group", "aria-label": "State" }, chip(null), ...[...STATES].reverse().map(chip)),
      h("div", { class: "seg", role: "group", "aria-label": "Mode" }, mode(null), mode("Active"), mode("Shadow")),
    );
  }

  private field(): Drawn {
    const oninput = (event: Event): void => this.change({ filter: { text: (event.target as HTMLInputElement).value } });
    const onkeydown = (event: Event): void => {
      if ((event as KeyboardEvent).key === "Escape") (event.target as HTMLInputElement).blur();
    };
    const placeholder = "Name, namespace or reason";
    return h("input", { id: "q", type: "search", placeholder, value: this.filter.text, oninput, onkeydown });
  }

  private noMatch(): Drawn {
    const names = (this.list?.policies ?? []).map(({ name }) => name);
    const nearest = this.filter.text === "" ? null : nearestName(this.filter.text, names);
    const choose = (): void => this.change({ filter: { text: nearest ?? "", state: null, mode: null } });
    return h(
      "div",
      { class: "nothing" },
      h("p", {}, h("b", {}, `No policy matches “${this.filter.text}”.`), ...(nearest === null ? [] : [" Nearest name: ", h("button", { class: "link", onclick: choose }, nearest), "."])),
      h("p", { class: "actions" }, h("button", { onclick: () => this.change({ filter: { text: "", state: null, mode: null } }) }, "Clear filter")),
    );
  }

  private sortBy(column: Column): void {
    const isDescending = this.order.column === column && !this.order.isDescending;
    this.change({ order: { column, isDescending } });
  }

  private sortByNext(): void {
    const columns = HEADINGS.flatMap(({ column }) => column ?? []);
    const next = columns[(columns.indexOf(this.order.column) + 1) % columns.length];
    if (next !== undefined) this.change({ order: { column: next, isDescending: false } });
  }

  private step(by: number): void {
    const isInTable = document.activeElement?.closest(".fleet tbody") != null;
    const at = this.shownKeys.indexOf(this.chosen ?? "") + (isInTable ? by : 0);
    this.chosen = this.shownKeys[Math.max(0, Math.min(this.shownKeys.length - 1, at))] ?? null;
    this.draw();
    document.querySelector<HTMLElement>(".fleet tr[tabindex='0']")?.focus();
  }
}

function summary(policies: readonly PolicySummary[]): Drawn {
  const words: Readonly<Record<State, string>> = {
    Trusted: "trusted",
    Reactive: "reactive",
    Learning: "learning",
    Holding: "holding for missing data",
    Conflict: "in conflict",
  };
  const counts = [...STATES].reverse().flatMap((state) => {
    const count = policies.filter((policy) => policy.state === state).length;
    return count === 0 ? [] : [`${count} ${words[state]}`];
  });
  return h("p", { class: "summary keep" }, h("b", {}, `${plural(policies.length, "policy", "policies")}:`), ` ${counts.join(", ")}.`);
}

function foot(shown: number, all: number): Drawn {
  const key = (name: string, does: string): Drawn => h("span", {}, h("kbd", {}, name), ` ${does}`);
  return h(
    "div",
    { class: "tablefoot" },
    h("span", {}, `${shown} of ${plural(all, "policy", "policies")}`),
    key("/", "filter"),
    h("span", {}, h("kbd", {}, "j"), " ", h("kbd", {}, "k"), " move"),
    key("Enter", "open"),
    key("?", "all keys"),
  );
}

function empty(): Drawn {
  return h(
    "div",
    { class: "nothing" },
    h("p", {}, h("b", {}, "No ForecastPolicy yet."), " Start in Shadow: it recommends and changes nothing."),
    h("pre", {}, "foretide render examples --out policies\nforetide run --policies policies --prometheus-url http://prometheus:9090"),
  );
}

function oldestData(list: PolicyList): string {
  const fresh = list.policies.filter(({ state }) => state !== "Holding").flatMap(({ ages }) => ages.data ?? []);
  return age(fresh.length === 0 ? null : Math.max(...fresh));
}

