// A uPlot chart in the page's grammar: fixed gutter, no motion, one cursor for all charts of the page.
import uPlot from "uplot";

import type { Maybe } from "./documents";
import type { Scale } from "./ticks";
import { type Colours, colours, onThemeChange } from "./themes";

const SYNC_KEY = "foretide";
const NARROW = matchMedia("(max-width: 640px)");
// room for half a label at each end of the axis
const TOP_PADDING = 8;
const BOTTOM_PADDING = 6;

export interface Line {
  readonly colour: (colours: Colours) => string;
  readonly width: number; // 0 draws no line
  readonly dash?: readonly number[];
  readonly isStepped?: boolean;
  readonly fill?: (colours: Colours) => string;
}

export interface Band {
  readonly upper: number; // index of a line
  readonly lower: number;
  readonly fill: (colours: Colours) => string;
}

export interface Canvas {
  readonly plot: uPlot;
  readonly colours: Colours;
}

export interface PlotDescription {
  readonly height: number;
  readonly lines: readonly Line[];
  readonly bands: readonly Band[];
  readonly label: (tick: number) => string;
  readonly under: (canvas: Canvas) => void; // drawn below the lines
  readonly over: (canvas: Canvas) => void; // drawn above them
  readonly pointed: (index: number | null) => void;
}

/** A chart inside an element, which it fills in width. */
export class Plot {
  private readonly plot: uPlot;
  private colours = colours();
  private scale: Scale = { low: 0, high: 1, ticks: [] };
  private start = 0;
  private end = 1;

  constructor(
    private readonly element: HTMLElement,
    private readonly description: PlotDescription,
  ) {
    const nothing = [[], ...description.lines.map(() => [])] as unknown as uPlot.AlignedData;
    this.plot = new uPlot(this.options(), nothing, element);
    new ResizeObserver(() => this.resize()).observe(element);
    onThemeChange(() => {
      this.colours = colours();
      this.plot.redraw();
    });
  }

  show(times: readonly number[], columns: readonly (readonly Maybe[])[], scale: Scale, start: number, end: number): void {
    this.scale = scale;
    this.start = start;
    this.end = end;
    this.plot.setData([times, ...columns] as unknown as uPlot.AlignedData, true);
  }

  private resize(): void {
    const width = this.element.clientWidth;
    if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.height() });
  }

  private height(): number {
    return this.description.height + TOP_PADDING + BOTTOM_PADDING;
  }

  private options(): uPlot.Options {
    const { description } = this;
    return {
      width: Math.max(1, this.element.clientWidth),
      height: this.height(),
      legend: { show: false },
      padding: [TOP_PADDING, 1, BOTTOM_PADDING, 0],
      cursor: { sync: { key: SYNC_KEY }, y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => [this.start, this.end] },
        y: { range: () => [this.scale.low, this.scale.high] },
      },
      axes: [{ show: false }, this.yAxis()],
      series: [{}, ...description.lines.map((line) => this.series(line))],
      bands: description.bands.map(({ upper, lower, fill }) => ({
        series: [upper + 1, lower + 1],
        fill: () => fill(this.colours),
      })),
      hooks: {
        drawClear: [(plot) => clipped(plot, () => description.under({ plot, colours: this.colours }))],
        draw: [(plot) => clipped(plot, () => description.over({ plot, colours: this.colours }))],
        setCursor: [(plot) => description.pointed(plot.cursor.idx ?? null)],
      },
    };
  }

  private yAxis(): uPlot.Axis {
    return {
      size: () => (NARROW.matches ? 32 : 48),
      gap: NARROW.matches ? 4 : 8,
      font: `11px ${this.colours.sans}`,
      stroke: () => this.colours.ink3,
      ticks: { show: false },
      grid: { stroke: () => this.colours.line, width: 1 },
      splits: () => [...this.scale.ticks],
      values: (_, splits) => splits.map((split) => this.description.label(split)),
    };
  }

  private series(line: Line): uPlot.Series {
    const { stepped } = uPlot.paths;
    return {
      stroke: () => line.colour(this.colours),
      width: line.width,
      points: { show: false },
      ...(line.fill === undefined ? {} : { fill: () => line.fill?.(this.colours) ?? "" }),
      ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
      ...(line.isStepped === true && stepped !== undefined ? { paths: stepped({ align: 1 }) } : {}),
    };
  }
}

function clipped(plot: uPlot, drawing: () => void): void {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.save();
  plot.ctx.beginPath();
  // room above for the ring of a value at the very top
  plot.ctx.rect(left, top - TOP_PADDING * uPlot.pxRatio, width, height + TOP_PADDING * uPlot.pxRatio);
  plot.ctx.clip();
  drawing();
  plot.ctx.restore();
}
