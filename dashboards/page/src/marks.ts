// What the charts draw besides lines: ground of the future, hatch of absence, red of shortage, now, look-ahead.
import uPlot from "uplot";

import type { Decision } from "./documents";
import { duration, quantity, shortClock, toSeconds } from "./format";
import type { Canvas } from "./plot";
import type { Span, Timeline } from "./timeline";

const HATCH_SPACING = 5;
const BRACKET_TOP = 8;
const BRACKET_HEIGHT = 6;
const RING_RADIUS = 3;

/** The ground of the future, and of the past that has no data; dotted hairlines at events. */
export function drawGround(canvas: Canvas, line: Timeline, events: readonly number[]): void {
  const { plot, colours } = canvas;
  const { top, height, left, width } = plot.bbox;
  const now = plot.valToPos(line.now, "x", true);
  plot.ctx.fillStyle = colours.sub;
  plot.ctx.fillRect(now, top, left + width - now, height);
  for (const gap of line.gaps) drawHatch(canvas, gap);
  for (const at of events) drawVertical(canvas, at, colours.cap, [1, 2]);
}

function drawHatch({ plot, colours }: Canvas, { from, to }: Span): void {
  const { ctx } = plot;
  const { top, height } = plot.bbox;
  const [left, right] = [plot.valToPos(from, "x", true), plot.valToPos(to, "x", true)];
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, height);
  ctx.clip();
  ctx.beginPath();
  for (let x = left - height; x < right; x += HATCH_SPACING * uPlot.pxRatio) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.strokeStyle = colours.hatch;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.stroke();
  ctx.restore();
}

/** The area between demand and the capacity that it exceeds. */
export function drawShortage({ plot, colours }: Canvas, line: Timeline): void {
  const { ctx } = plot;
  ctx.fillStyle = colours.short;
  line.times.forEach((time, index) => {
    const next = line.times[index + 1];
    const corners = [line.demand[index], line.demand[index + 1], line.capacity[index]];
    const [here, there, capacity] = corners;
    if (next === undefined || here == null || there == null || capacity == null) return;
    if (here <= capacity && there <= capacity) return;
    const [left, right] = [plot.valToPos(time, "x", true), plot.valToPos(next, "x", true)];
    const y = (value: number): number => plot.valToPos(Math.max(value, capacity), "y", true);
    ctx.beginPath();
    ctx.moveTo(left, y(capacity));
    ctx.lineTo(left, y(here));
    ctx.lineTo(right, y(there));
    ctx.lineTo(right, y(capacity));
    ctx.fill();
  });
}

export function drawNow(canvas: Canvas, line: Timeline): void {
  drawVertical(canvas, line.now, canvas.colours.ink, []);
}

/** The instant of a past decision that is being looked at. */
export function drawChosen(canvas: Canvas, decision: Decision): void {
  drawVertical(canvas, toSeconds(decision.at), canvas.colours.accent, []);
}

function drawVertical({ plot }: Canvas, at: number, colour: string, dash: readonly number[]): void {
  const { ctx } = plot;
  const { top, height } = plot.bbox;
  const x = Math.round(plot.valToPos(at, "x", true)) + 0.5;
  ctx.beginPath();
  ctx.setLineDash(dash.map((each) => each * uPlot.pxRatio));
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.strokeStyle = colour;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.stroke();
  ctx.setLineDash([]);
}

/** The look-ahead as a bracket, and at its end a drop to the value that decided, in words. */
export function drawLookAhead({ plot, colours }: Canvas, decision: Decision): void {
  const peak = decision.signals.find((signal) => signal.peak !== null)?.peak ?? null;
  if (peak === null || peak.value === null) return;
  const { ctx } = plot;
  const ratio = uPlot.pxRatio;
  const from = plot.valToPos(toSeconds(decision.at), "x", true);
  const to = plot.valToPos(toSeconds(peak.until), "x", true);
  const top = plot.bbox.top + BRACKET_TOP * ratio;
  const value = plot.valToPos(peak.value, "y", true);
  ctx.strokeStyle = colours.accent;
  ctx.lineWidth = ratio;
  ctx.beginPath();
  ctx.moveTo(from, top + BRACKET_HEIGHT * ratio);
  ctx.lineTo(from, top);
  ctx.lineTo(to, top);
  ctx.stroke();
  ctx.beginPath();
  ctx.setLineDash([ratio, 2 * ratio]);
  ctx.moveTo(to, top);
  ctx.lineTo(to, value);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.arc(to, value, RING_RADIUS * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = colours.bg;
  ctx.fill();
  ctx.lineWidth = 1.5 * ratio;
  ctx.stroke();
  const words = `look-ahead ${duration(toSeconds(peak.until) - toSeconds(decision.at))}`;
  drawWords({ plot, colours }, words, `${quantity(peak.value)} by ${shortClock(toSeconds(peak.until))}`, { from, to, top });
}

interface Place {
  readonly from: number;
  readonly to: number;
  readonly top: number;
}

/** To the right of the bracket where there is room, else to its left, on the page's own ground. */
function drawWords({ plot, colours }: Canvas, words: string, value: string, { from, to, top }: Place): void {
  const { ctx } = plot;
  const ratio = uPlot.pxRatio;
  ctx.font = `${11 * ratio}px ${colours.sans}`;
  const width = Math.max(ctx.measureText(words).width, ctx.measureText(value).width * 1.1);
  const right = plot.bbox.left + plot.bbox.width;
  const isRight = to + 6 * ratio + width <= right;
  const x = isRight ? to + 6 * ratio : from - 6 * ratio - width;
  ctx.fillStyle = colours.bg;
  if (!isRight) ctx.fillRect(x - 3 * ratio, top - 4 * ratio, width + 4 * ratio, 30 * ratio);
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillStyle = colours.ink2;
  ctx.fillText(words, x, top - 2 * ratio);
  ctx.font = `600 ${11 * ratio}px ${colours.sans}`;
  ctx.fillStyle = colours.accent;
  ctx.fillText(value, x, top + 12 * ratio);
}
