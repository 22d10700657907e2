// A policy's demand in a cell: three hours back in ink, one ahead in accent, hatch where data is absent.
import type { Maybe, Trend } from "./documents";
import { type Drawn, h } from "./dom";

const WIDTH = 140;
const HEIGHT = 24;
const PAST = 48;
const AHEAD = 16;
const MARGIN = 2;

export function sparkline(trend: Trend | undefined): Drawn {
  const box = { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" };
  if (trend === undefined) return h("svg", box);
  const y = scale([...trend.demand, ...trend.low, ...trend.high]);
  const past = (index: number): number => column(index + 0.5);
  const ahead = (index: number): number => column(PAST + index);
  const now = column(PAST);
  return h(
    "svg",
    box,
    h("path", { d: band(trend, ahead, y), fill: "var(--band)" }),
    h("path", { d: gaps(trend.demand), class: "nodata" }),
    line(path(trend.demand, past, y), "var(--ink)"),
    line(path(trend.median, ahead, y), "var(--accent)"),
    line(`M${now} 0V${HEIGHT}`, "var(--cap)"),
  );
}

function line(d: string, stroke: string): Drawn {
  return h("path", { d, fill: "none", stroke, "stroke-width": 1, "vector-effect": "non-scaling-stroke" });
}

function column(index: number): number {
  return Number(((index / (PAST + AHEAD)) * WIDTH).toFixed(1));
}

function scale(values: readonly Maybe[]): (value: number) => string {
  const present = values.filter((value) => value !== null);
  const lowest = Math.min(...present, Infinity);
  const span = Math.max(...present, -Infinity) - lowest || 1;
  return (value) => (HEIGHT - MARGIN - ((value - lowest) / span) * (HEIGHT - 2 * MARGIN)).toFixed(1);
}

function path(values: readonly Maybe[], x: (index: number) => number, y: (value: number) => string): string {
  let isDrawing = false;
  return values
    .map((value, index) => {
      const command = value === null ? "" : `${isDrawing ? "L" : "M"}${x(index)} ${y(value)}`;
      isDrawing = value !== null;
      return command;
    })
    .join("");
}

function band(trend: Trend, x: (index: number) => number, y: (value: number) => string): string {
  const corner = (values: readonly Maybe[]): string[] =>
    values.flatMap((value, index) => (value === null ? [] : [`${x(index)} ${y(value)}`]));
  const corners = [...corner(trend.high), ...corner(trend.low).reverse()];
  return corners.length === 0 ? "" : `M${corners.join("L")}z`;
}

/** Diagonal strokes over the newest columns that have no data. */
function gaps(values: readonly Maybe[]): string {
  return values
    .flatMap((value, index) => {
      const left = column(index);
      return value === null ? [0, 6, 12, 18].map((top) => `M${left} ${top + 5}l2.2 -4`) : [];
    })
    .join("");
}
