// Round numbers for axes.

const DIGITS = [1, 2, 3, 5, 10];
const TIME_STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400];

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** A scale that holds the values, with about four intervals; from 0 unless they are far above it. */
export function scaleOf(values: readonly (number | null)[], options: { fromZero: boolean; whole: boolean }): Scale {
  const present = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  const highest = Math.max(...present, options.whole ? 1 : 0);
  const lowest = Math.min(...present, highest);
  const bottom = options.fromZero || lowest < 0.4 * highest ? 0 : lowest;
  const step = Math.max(niceStep((highest - bottom || highest || 1) / 4), options.whole ? 1 : 0);
  const low = Math.floor(bottom / step) * step;
  const high = Math.max(low + step, Math.ceil(highest / step) * step);
  const count = Math.round((high - low) / step) + 1;
  return { low, high, ticks: Array.from({ length: count }, (_, index) => low + index * step) };
}

function niceStep(rough: number): number {
  const size = 10 ** Math.floor(Math.log10(rough));
  return size * (DIGITS.find((digit) => digit >= rough / size - 1e-9) ?? 10);
}

export function timeTicks(start: number, end: number): readonly number[] {
  const step = TIME_STEPS.find((each) => (end - start) / each <= 12.5) ?? 86_400;
  const first = Math.ceil(start / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((end - first) / step) + 1) }, (_, index) => first + index * step);
}
