// Numbers and times as people write them: narrow no-break space before units and %, U+2212, comma at thousands.
import type { Maybe } from "./documents";

export const NARROW = "\u202f";
const MINUS = "\u2212";

export function number(value: Maybe, digits: number): string {
  if (value === null) return "none";
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return Number(text.replaceAll(",", "")) !== 0 && value < 0 ? MINUS + text : text;
}

/** A demand: three significant digits at least, and no digit after the point that nobody needs. */
export function quantity(value: Maybe): string {
  if (value === null) return "none";
  const digits = value === 0 ? 0 : Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return number(value, digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

export function replicas(value: Maybe): string {
  return number(value, 2);
}

/** A share such as 0.01, without digits that say nothing: "1 %". */
export function share(ratio: number, digits = 2): string {
  return percent(100 * ratio, digits);
}

export function percent(value: number, digits: number): string {
  const text = number(value, digits);
  return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text}${NARROW}%`;
}

export function quantileName(level: number): string {
  return share(level);
}

/** "2 min 10 s"; at most two units. */
export function duration(seconds: number): string {
  const parts: string[] = [];
  let left = Math.round(seconds);
  for (const [unit, size] of [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${NARROW}${unit}`);
  }
  return parts.slice(0, 2).join(" ") || `0${NARROW}s`;
}

export function age(seconds: Maybe): string {
  if (seconds === null) return "none";
  return seconds < 1 ? "new" : `${duration(seconds)} old`;
}

/** "14:29:45", UTC. */
export function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

/** "14:30", UTC, to the nearest minute. */
export function shortClock(seconds: number): string {
  return clock(Math.round(seconds / 60) * 60).slice(0, 5);
}

/** "14:30" on the day itself, "16 Nov 14:30" on another. */
export function moment(seconds: number, nowSeconds: number): string {
  const isToday = Math.floor(seconds / 86_400) === Math.floor(nowSeconds / 86_400);
  return isToday ? clock(seconds) : `${day(seconds)} ${shortClock(seconds)}`;
}

/** "16 Nov", UTC. */
export function day(seconds: number): string {
  return new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

export function toSeconds(instant: string): number {
  return Date.parse(instant) / 1000;
}

export function plural(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
