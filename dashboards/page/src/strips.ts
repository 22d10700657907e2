// The strips around the plots: events above, who decided and the time below. Places are shares of the time axis.
import type { Basis, Decision } from "./documents";
import { type Child, type Drawn, h } from "./dom";
import { clock, day, shortClock, toSeconds } from "./format";
import { timeTicks } from "./ticks";
import type { Timeline } from "./timeline";

type EventShape = "lost" | "trusted" | "override";

export interface TimelineEvent {
  readonly at: number;
  readonly shape: EventShape;
  readonly words: string;
}

const BASIS_WORDS: Readonly<Record<Basis, string>> = {
  forecast: "forecast",
  reactive: "reactive",
  learning: "learning",
  held: "held",
  override: "override",
  waking: "woken",
  refused: "no answer",
};

// below this share of the width, a label would touch the next
const LABEL_SHARE = 0.11;
const NOW_SHARE = 0.06;

/** Where the forecast lost or regained its trust, or a person stepped in. */
export function eventsOf({ basis }: Timeline): TimelineEvent[] {
  return basis.flatMap(({ basis: now, from }, index): TimelineEvent[] => {
    const before = basis.slice(0, index).findLast((span) => span.basis !== "held")?.basis;
    if (before === undefined || before === now) return [];
    if (now === "reactive") return [{ at: from, shape: "lost", words: "trust lost" }];
    if (now === "forecast" && before === "reactive") return [{ at: from, shape: "trusted", words: "trusted again" }];
    return now === "override" ? [{ at: from, shape: "override", words: "override" }] : [];
  });
}

export function lane(line: Timeline, events: readonly TimelineEvent[], cursor: number | null): Drawn {
  const marks = events.map((event, index) => {
    const next = events[index + 1]?.at ?? Infinity;
    const hasRoom = share(line, next) - share(line, event.at) > LABEL_SHARE;
    const meetsNow = share(line, line.now) - share(line, event.at) < LABEL_SHARE + NOW_SHARE;
    const words = hasRoom && !meetsNow ? h("span", {}, event.words) : null;
    const title = `${event.words} ${clock(event.at)}`;
    return h("div", { class: "ev", title, style: { left: percent(line, event.at) } }, eventShape(event.shape), words);
  });
  const isNear = cursor !== null && Math.abs(share(line, cursor) - share(line, line.now)) < 2 * NOW_SHARE;
  return h("div", { class: "lane" }, ...marks, isNear ? null : tag(line, line.now, `now ${clock(line.now)}`, ""), at(line, cursor));
}

function at(line: Timeline, cursor: number | null): Child {
  return cursor === null ? null : tag(line, cursor, clock(cursor), " attag");
}

function tag(line: Timeline, time: number, words: string, kind: string): Drawn {
  // kept inside the plot at its ends
  const left = Math.min(0.95, Math.max(0.05, share(line, time)));
  return h("div", { class: `ev nowtag${kind}`, style: { left: `${(100 * left).toFixed(2)}%` } }, h("span", {}, words));
}

/** The same events as a list, where the plot is too narrow for their words. */
export function eventList(events: readonly TimelineEvent[]): Drawn {
  const items = events.map((event) => h("li", {}, eventShape(event.shape), h("span", {}, `${clock(event.at)} ${event.words}`)));
  return h("ul", { class: "evlist" }, ...items);
}

function eventShape(shape: EventShape): Drawn {
  const box = { viewBox: "0 0 12 12", "aria-hidden": "true" };
  const line = { fill: "var(--bg)", stroke: "currentColor", "stroke-width": 1.25 };
  switch (shape) {
    case "lost":
      return h("svg", box, h("circle", { cx: 6, cy: 6, r: 4, ...line }), h("path", { d: "M3.2 8.8 8.8 3.2", ...line }));
    case "trusted":
      return h("svg", box, h("circle", { cx: 6, cy: 6, r: 4.5, fill: "currentColor" }));
    case "override":
      return h("svg", box, h("path", { d: "M2 2h8v8H2z", fill: "currentColor" }));
  }
}

export function basisStrip(line: Timeline): Drawn {
  const kinds: Readonly<Partial<Record<Basis, string>>> = { forecast: "fc", override: "fc", held: "ho", refused: "ho", waking: "ho" };
  const spans = line.basis.map(({ basis, from, to }) => {
    const style = { left: percent(line, from), width: `${(100 * (share(line, to) - share(line, from))).toFixed(3)}%` };
    const words = BASIS_WORDS[basis];
    return h("i", { class: kinds[basis] ?? "re", title: `${words} ${clock(from)} to ${clock(to)}`, style }, h("span", {}, words));
  });
  return h("div", { class: "basis" }, h("span", { class: "yt" }, "Basis"), ...spans);
}

export function timeAxis(line: Timeline): Drawn {
  const ticks = timeTicks(line.start, line.end);
  const isDays = line.end - line.start > 2 * 86_400;
  const labels = ticks.map((tick, index) => {
    const style = { left: percent(line, tick) };
    return h("span", { class: index % 3 === 0 ? "" : "odd", style }, isDays ? day(tick) : shortClock(tick));
  });
  return h("div", { class: "xaxis", "aria-hidden": "true" }, ...labels);
}

/** One sentence for those who do not see the plot. */
export function plotSentence(line: Timeline, decision: Decision | null): string {
  const first = line.demand.find((value) => value !== null) ?? null;
  const last = line.demand.findLast((value) => value !== null) ?? null;
  const round = (value: number | null): string => (value === null ? "not known" : value.toPrecision(3));
  const peak = decision?.signals.find((signal) => signal.peak !== null)?.peak ?? null;
  const ahead = peak === null ? "" : ` and is expected to reach ${round(peak.median)} (median), ${round(peak.value)} (deciding quantile) by ${shortClock(toSeconds(peak.until))}`;
  const capacity = line.capacity.findLast((value) => value !== null) ?? null;
  const gaps = line.gaps.map(({ from, to }) => ` No data from ${clock(from)} to ${clock(to)}.`).join("");
  const short = line.short.map(({ from, to }) => ` Short from ${clock(from)} to ${clock(to)}.`).join("");
  return `Demand went from ${round(first)} to ${round(last)} since ${clock(line.start)}${ahead}. Ready capacity is ${round(capacity)}.${gaps}${short}`;
}

function share({ start, end }: Timeline, time: number): number {
  return (time - start) / (end - start);
}

function percent(line: Timeline, time: number): string {
  return `${(100 * share(line, time)).toFixed(3)}%`;
}
