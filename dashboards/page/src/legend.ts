// Legends carry the value at now, or where the cursor stands.
import type { Decision, ForecastView, Maybe } from "./documents";
import { type Drawn, h } from "./dom";
import { duration, quantileName, quantity, replicas } from "./format";
import type { Timeline } from "./timeline";

type Sample = "demand" | "forecast" | "said" | "capacity" | "short" | "gap" | "needed" | "answered" | "ready" | "reactive";

// a missing sample or two is lateness; after that there is no present value
const STEPS_OF_PRESENT = 3;

export interface LegendInput {
  readonly timeline: Timeline;
  readonly view: ForecastView;
  readonly decision: Decision | null;
  readonly reactiveName: string | null;
  readonly index: number | null; // of the cursor; null is now
}

export function demandLegend(input: LegendInput): Drawn {
  const { timeline, view, decision } = input;
  const at = reader(input);
  const { levels } = view.forecast ?? { levels: [] };
  const ahead = decision?.lookAheadSeconds ?? null;
  const shortSeconds = timeline.short.reduce((sum, { from, to }) => sum + to - from, 0);
  const range = levels.length === 0 ? "" : `, median and ${quantileName(levels[0] ?? 0).replace(/\s?%$/, "")} to ${quantileName(levels.at(-1) ?? 1)}`;
  return h(
    "div",
    { class: "legend" },
    entry("demand", "Demand", quantity(at(timeline.demand))),
    entry("forecast", `Forecast${range}`, foretold(input)),
    ahead === null ? null : entry("said", `Said ${duration(ahead)} before`, quantity(at(timeline.said))),
    entry("capacity", "Capacity of ready replicas", quantity(at(timeline.capacity))),
    entry("short", shortSeconds === 0 ? "Short, never in view" : `Short, ${duration(shortSeconds)} in view`),
    entry("gap", "No data"),
  );
}

export function replicaLegend(input: LegendInput): Drawn {
  const { timeline, reactiveName } = input;
  const at = reader(input);
  return h(
    "div",
    { class: "legend" },
    entry("needed", "Needed", replicas(at(timeline.needed) ?? at(timeline.neededAhead))),
    entry("answered", "Answered, where a clamp changed it", replicas(at(timeline.answered))),
    entry("capacity", "Existing", count(at(timeline.existing))),
    entry("ready", "Ready", count(at(timeline.ready))),
    reactiveName === null ? null : entry("reactive", `${reactiveName} has`, count(at(timeline.reactive))),
  );
}

/** At now, what decided: the largest values within the look-ahead. */
function foretold(input: LegendInput): string {
  const { timeline, decision, index } = input;
  const at = reader(input);
  const peak = decision?.signals.find((signal) => signal.peak !== null)?.peak ?? null;
  if (index === null && peak !== null) return `${quantity(peak.median)}, ${quantity(peak.value)}`;
  const [median, high] = [at(timeline.median), at(timeline.high)];
  return median === null ? "none here" : `${quantity(median)}, ${quantity(high)}`;
}

/** Reads a column at the cursor, or at now: there the newest value that still counts as the present. */
function reader({ timeline, index }: LegendInput): (values: readonly Maybe[]) => Maybe {
  if (index !== null) return (values) => values[index] ?? null;
  const now = timeline.times.findLastIndex((time) => time <= timeline.now);
  return (values) => values.slice(Math.max(0, now - STEPS_OF_PRESENT), now + 1).findLast((value) => value !== null) ?? null;
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
