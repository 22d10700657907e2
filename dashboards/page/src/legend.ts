// Legends carry the value at now, or where the cursor stands.
import type { Decision, ForecastView, Maybe } from "./documents";
import { type Drawn, h } from "./dom";
import { duration, quantileName, quantity, replicas } from "./format";
import type { Timeline } from "./timeline";

type Sample = "demand" | "forecast" | "said" | "capacity" | "short" | "gap" | "needed" | "answered" | "ready" | "reactive";

export interface LegendInput {
  readonly timeline: Timeline;
  readonly view: ForecastView;
  readonly decision: Decision | null;
  readonly reactiveName: string | null;
  readonly index: number | null; // of the cursor; null is now
}

export function demandLegend({ timeline, view, decision, index }: LegendInput): Drawn {
  const { levels } = view.forecast ?? { levels: [] };
  const ahead = decision?.lookAheadSeconds ?? null;
  const shortSeconds = timeline.short.reduce((sum, { from, to }) => sum + to - from, 0);
  const range = levels.length === 0 ? "" : `, median and ${quantileName(levels[0] ?? 0).replace(/\s?%$/, "")} to ${quantileName(levels.at(-1) ?? 1)}`;
  return h(
    "div",
    { class: "legend" },
    entry("demand", "Demand", quantity(at(timeline.demand, index))),
    entry("forecast", `Forecast${range}`, foretold(timeline, decision, index)),
    ahead === null ? null : entry("said", `Said ${duration(ahead)} before`, quantity(at(timeline.said, index))),
    entry("capacity", "Capacity of ready replicas", quantity(at(timeline.capacity, index))),
    entry("short", shortSeconds === 0 ? "Short, never in view" : `Short, ${duration(shortSeconds)} in view`),
    entry("gap", "No data"),
  );
}

export function replicaLegend({ timeline, reactiveName, index }: LegendInput): Drawn {
  return h(
    "div",
    { class: "legend" },
    entry("needed", "Needed", replicas(at(timeline.needed, index) ?? at(timeline.neededAhead, index))),
    entry("answered", "Answered, where a clamp changed it", replicas(at(timeline.answered, index))),
    entry("capacity", "Existing", count(at(timeline.existing, index))),
    entry("ready", "Ready", count(at(timeline.ready, index))),
    reactiveName === null ? null : entry("reactive", `${reactiveName} has`, count(at(timeline.reactive, index))),
  );
}

/** At now, what decided: the largest values within the look-ahead. */
function foretold(timeline: Timeline, decision: Decision | null, index: number | null): string {
  const peak = decision?.signals.find((signal) => signal.peak !== null)?.peak ?? null;
  if (index === null && peak !== null) return `${quantity(peak.median)}, ${quantity(peak.value)}`;
  const [median, high] = [at(timeline.median, index), at(timeline.high, index)];
  return median === null ? "none here" : `${quantity(median)}, ${quantity(high)}`;
}

/** The value at the cursor, or the newest up to now. */
function at(values: readonly Maybe[], index: number | null): Maybe {
  return index === null ? (values.findLast((value) => value !== null) ?? null) : (values[index] ?? null);
}

function count(value: Maybe): string {
  return value === null ? "none" : String(Math.round(value));
}

function entry(sample: Sample, words: string, value: string | null = null): Drawn {
  const swatch = h("svg", { viewBox: "0 0 18 10", "aria-hidden": "true" }, ...swatches(sample));
  return h("span", {}, swatch, value === null ? words : `${words} `, value === null ? null : h("b", {}, value));
}

function swatches(sample: Sample): Drawn[] {
  const stroke = (colour: string, width: number, dash = ""): Drawn =>
    h("path", { d: "M0 5H18", fill: "none", stroke: colour, "stroke-width": width, "stroke-dasharray": dash === "" ? null : dash });
  const box = (fill: string): Drawn => h("path", { d: "M0 1H18V9H0z", fill });
  switch (sample) {
    case "demand":
    case "answered":
      return [stroke("var(--ink)", 1.5)];
    case "forecast":
      return [box("var(--band)"), stroke("var(--accent)", 1.75)];
    case "said":
      return [stroke("var(--accent)", 1.25, "2 2")];
    case "needed":
      return [stroke("var(--accent)", 1.5)];
    case "capacity":
      return [stroke("var(--cap)", 1.5)];
    case "reactive":
      return [stroke("var(--ink-2)", 1.25, "5 3")];
    case "ready":
      return [box("var(--cap-fill)")];
    case "short":
      return [box("var(--short)")];
    case "gap":
      return [h("path", { d: "M0 10 10 0M6 10 16 0M12 10 18 4M0 4 4 0", fill: "none", stroke: "var(--cap)" })];
  }
}
