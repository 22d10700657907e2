// One axis of time for both charts: the past on the grid of the demand, then the forecast.
import type { Basis, Comparison, ForecastSeries, ForecastView, Maybe } from "./documents";

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface BasisSpan extends Span {
  readonly basis: Basis;
}

/** Columns of equal length; null where a quantity has no value at that instant. Times are seconds since the epoch. */
export interface Timeline {
  readonly start: number;
  readonly now: number;
  readonly end: number;
  readonly times: readonly number[];
  readonly demand: readonly Maybe[];
  readonly low: readonly Maybe[];
  readonly median: readonly Maybe[];
  readonly high: readonly Maybe[];
  readonly deciding: readonly Maybe[];
  readonly said: readonly Maybe[]; // the median that was expected of that instant one look-ahead before
  readonly capacity: readonly Maybe[]; // of the ready replicas, demand units
  readonly needed: readonly Maybe[];
  readonly neededAhead: readonly Maybe[];
  readonly answered: readonly Maybe[];
  readonly existing: readonly Maybe[];
  readonly ready: readonly Maybe[];
  readonly reactive: readonly Maybe[];
  readonly gaps: readonly Span[];
  readonly short: readonly Span[];
  readonly basis: readonly BasisSpan[];
}

type Reader = (time: number) => Maybe;

/** Past and future share the width 3 to 1, but the future never reaches past the forecast. */
export function timeline(view: ForecastView, comparison: Comparison | null, rangeSeconds: number): Timeline {
  const now = view.nowSeconds;
  const ahead = Math.min(rangeSeconds / 4, view.forecast === null ? 0 : forecastEnd(view.forecast) - now);
  const end = now + Math.max(0, ahead);
  const start = end - rangeSeconds;
  const past = pastTimes(view, start);
  const times = [...past, ...futureTimes(view.forecast, now, end)];
  const columns = pastColumns(view, comparison, times, now);
  const future = futureColumns(view, times, now);
  return {
    start,
    now,
    end,
    times,
    ...columns,
    ...future,
    gaps: spans(past, (index) => columns.demand[index] === null),
    short: spans(past, (index) => exceeds(columns.demand[index], columns.capacity[index])),
    basis: basisSpans(view, start),
  };
}

function pastColumns(view: ForecastView, comparison: Comparison | null, times: readonly number[], now: number) {
  const { replicas: steps, capacity } = view;
  const until = (read: Reader): Maybe[] => times.map((time) => (time <= now ? read(time) : null));
  const held = (values: readonly Maybe[]): Maybe[] => until(stepped(steps.timesSeconds, values));
  const ready = held(steps.ready);
  return {
    demand: until(gridded(view.demand.startSeconds, view.demand.stepSeconds, view.demand.values)),
    said: until(joined(steps.expectedAtSeconds, steps.expected)),
    capacity: ready.map((count) => (count === null ? null : count * capacity)),
    needed: held(steps.needed),
    answered: held(steps.answered),
    existing: held(steps.existing),
    ready,
    reactive: until(reactiveReader(comparison)),
  };
}

function reactiveReader(comparison: Comparison | null): Reader {
  if (comparison === null) return () => null;
  return gridded(comparison.startSeconds, comparison.stepSeconds, comparison.reactive.existing);
}

function futureColumns(view: ForecastView, times: readonly number[], now: number) {
  const { forecast } = view;
  const from = (values: readonly Maybe[] | undefined): Maybe[] => {
    const read = forecast === null || values === undefined ? () => null : interpolated(forecast, values);
    return times.map((time) => (time >= now ? read(time) : null));
  };
  const middle = forecast?.levels.indexOf(0.5) ?? -1;
  const deciding = from(forecast?.deciding);
  return {
    low: from(forecast?.quantiles[0]),
    median: from(forecast?.quantiles[middle]),
    high: from(forecast?.quantiles.at(-1)),
    deciding,
    neededAhead: deciding.map((value) => (value === null ? null : value / view.capacity)),
  };
}

function pastTimes({ demand, nowSeconds }: ForecastView, start: number): number[] {
  const { startSeconds, stepSeconds } = demand;
  const first = startSeconds + Math.ceil((start - startSeconds) / stepSeconds) * stepSeconds;
  const count = Math.max(0, Math.floor((nowSeconds - first) / stepSeconds) + 1);
  const times = Array.from({ length: count }, (_, index) => first + index * stepSeconds);
  return times.at(-1) === nowSeconds ? times : [...times, nowSeconds];
}

function futureTimes(forecast: ForecastSeries | null, now: number, end: number): number[] {
  if (forecast === null) return [];
  const times = (forecast.quantiles[0] ?? []).map((_, index) => forecast.originSeconds + (index + 1) * forecast.stepSeconds);
  return times.filter((time) => time > now && time <= end);
}

function forecastEnd({ originSeconds, stepSeconds, quantiles }: ForecastSeries): number {
  return originSeconds + (quantiles[0]?.length ?? 0) * stepSeconds;
}

/** A value on a regular grid; the one at or before the time, within half a step of rounding. */
function gridded(start: number, step: number, values: readonly Maybe[]): Reader {
  return (time) => values[Math.floor((time - start) / step + 1e-6)] ?? null;
}

/** A value that holds until the next one. Times are asked for in ascending order. */
function stepped(at: readonly number[], values: readonly Maybe[]): Reader {
  let next = 0;
  return (time) => {
    while (next < at.length && (at[next] ?? Infinity) <= time) next += 1;
    return next === 0 ? null : (values[next - 1] ?? null);
  };
}

// equal decisions are one row of the ledger; further apart than this, a line between two of them would be made up
const LONGEST_JOIN_SECONDS = 600;

/** Points joined by lines where they are not too far apart. Times are asked for in ascending order. */
function joined(at: readonly Maybe[], values: readonly Maybe[]): Reader {
  const points = at
    .flatMap((time, index) => {
      const value = values[index];
      return time === null || value == null ? [] : [[time, value] as const];
    })
    .sort(([a], [b]) => a - b);
  let next = 0;
  return (time) => {
    while (next < points.length && (points[next]?.[0] ?? Infinity) < time) next += 1;
    return between(points[next - 1] ?? points[next], points[next], time);
  };
}

function between(before: Point | undefined, after: Point | undefined, time: number): Maybe {
  if (before === undefined || after === undefined || after[0] - before[0] > LONGEST_JOIN_SECONDS) return null;
  if (time < before[0]) return null;
  const share = after[0] === before[0] ? 1 : (time - before[0]) / (after[0] - before[0]);
  return before[1] + share * (after[1] - before[1]);
}

type Point = readonly [time: number, value: number];

/** A forecast's quantile at any time between its origin and its end. */
function interpolated(forecast: ForecastSeries, values: readonly Maybe[]): Reader {
  const path = [forecast.valueAtOrigin, ...values];
  return (time) => {
    const position = (time - forecast.originSeconds) / forecast.stepSeconds;
    const left = path[Math.floor(position)] ?? null;
    const right = path[Math.ceil(position)] ?? null;
    return left === null || right === null ? null : left + (position - Math.floor(position)) * (right - left);
  };
}

function exceeds(demand: Maybe | undefined, capacity: Maybe | undefined): boolean {
  return demand != null && capacity != null && demand > capacity;
}

/** Where a claim holds, as spans between neighbouring times. */
function spans(times: readonly number[], holds: (index: number) => boolean): Span[] {
  const found: Span[] = [];
  times.forEach((time, index) => {
    const last = found.at(-1);
    if (!holds(index)) return;
    const from = times[index - 1] ?? time;
    if (last !== undefined && last.to === from) found[found.length - 1] = { from: last.from, to: time };
    else found.push({ from, to: time });
  });
  return found;
}

function basisSpans({ replicas, nowSeconds }: ForecastView, start: number): BasisSpan[] {
  const found: BasisSpan[] = [];
  replicas.timesSeconds.forEach((time, index) => {
    const basis = replicas.basis[index] ?? null;
    const from = Math.max(start, time);
    const to = Math.min(nowSeconds, replicas.timesSeconds[index + 1] ?? nowSeconds);
    const last = found.at(-1);
    if (basis === null || to <= from) return;
    if (last !== undefined && last.basis === basis && last.to === from) {
      found[found.length - 1] = { ...last, to };
    } else {
      found.push({ basis, from, to });
    }
  });
  return found;
}
