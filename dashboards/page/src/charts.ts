// The two charts of a policy, their legends, strips and the same numbers as a table.
import type { Range } from "./api";
import { RANGE_SECONDS, RANGES } from "./api";
import type { Comparison, Decision, ForecastView, Maybe } from "./documents";
import { draw, found, h } from "./dom";
import { clock, quantity, replicas } from "./format";
import { demandLegend, type LegendInput, replicaLegend } from "./legend";
import { DEMAND_BANDS, DEMAND_LAYERS, type Layer, REPLICA_LAYERS } from "./lines";
import { drawChosen, drawGround, drawLookAhead, drawNow, drawShortage } from "./marks";
import { type Canvas, Plot } from "./plot";
import { basisStrip, eventList, eventsOf, lane, plotSentence, timeAxis, type TimelineEvent } from "./strips";
import { scaleOf } from "./ticks";
import { type Timeline, timeline } from "./timeline";

const DEMAND_HEIGHT = 264;
const REPLICA_HEIGHT = 150;
const MOST_TABLE_ROWS = 60;
const BRACKET_SHARE = 0.15;

export interface ChartInput {
  readonly view: ForecastView;
  readonly comparison: Comparison | null;
  readonly range: Range;
  readonly newest: Decision | null;
  readonly chosen: Decision | null; // a past decision that is being looked at
}

/** Draws inside an element that nobody else touches. */
export class Charts {
  private input: ChartInput | null = null;
  private line: Timeline | null = null;
  private events: readonly TimelineEvent[] = [];
  private cursor: number | null = null;
  private isTable = false;
  private plots: readonly [demand: Plot, replicas: Plot] | null = null;

  constructor(
    readonly element: HTMLElement,
    private readonly chooseRange: (range: Range) => void,
  ) {}

  show(input: ChartInput): void {
    this.input = input;
    this.line = timeline(input.view, input.comparison, RANGE_SECONDS[input.range]);
    this.events = eventsOf(this.line);
    this.draw();
    this.plots ??= this.createPlots();
    const [demand, replicas] = this.plots;
    const shown = columns(DEMAND_LAYERS, this.line);
    const counted = columns(REPLICA_LAYERS, this.line);
    const { times, start, end } = this.line;
    demand.show(times, shown, this.demandScale(), start, end);
    replicas.show(times, counted, scaleOf(counted.flat(), { fromZero: true, whole: true }), start, end);
  }

  private createPlots(): readonly [Plot, Plot] {
    const pointed = (index: number | null): void => this.point(index);
    const demand = new Plot(found("demand-plot"), {
      height: DEMAND_HEIGHT,
      lines: DEMAND_LAYERS.map(({ line }) => line),
      bands: DEMAND_BANDS,
      label: quantity,
      under: (canvas) => this.under(canvas, true),
      over: (canvas) => this.over(canvas, true),
      pointed,
    });
    const replicas = new Plot(found("replica-plot"), {
      height: REPLICA_HEIGHT,
      lines: REPLICA_LAYERS.map(({ line }) => line),
      bands: [],
      label: String,
      under: (canvas) => this.under(canvas, false),
      over: (canvas) => this.over(canvas, false),
      pointed: () => undefined, // both charts share one cursor
    });
    return [demand, replicas];
  }

  private under(canvas: Canvas, isDemand: boolean): void {
    if (this.line === null) return;
    drawGround(canvas, this.line, this.events.map(({ at }) => at));
    if (isDemand) drawShortage(canvas, this.line);
  }

  private over(canvas: Canvas, isDemand: boolean): void {
    if (this.line === null || this.input === null) return;
    const { newest, chosen } = this.input;
    drawNow(canvas, this.line);
    if (chosen !== null) drawChosen(canvas, chosen);
    const decision = chosen ?? newest;
    if (isDemand && decision !== null) drawLookAhead(canvas, decision);
  }

  private point(index: number | null): void {
    if (this.cursor === index) return;
    this.cursor = index;
    this.draw();
  }

  private demandScale() {
    const line = this.line;
    const { newest, chosen } = this.input ?? { newest: null, chosen: null };
    const peak = (chosen ?? newest)?.signals[0]?.peak?.value ?? null;
    const values = line === null ? [] : [...line.demand, ...line.low, ...line.high, ...line.capacity, peak];
    return scaleOf([...values, headroom(values)], { fromZero: false, whole: false });
  }

  private draw(): void {
    const { line, input } = this;
    if (line === null || input === null) return;
    const index = this.cursor !== null && this.cursor < line.times.length ? this.cursor : null;
    const { view, newest, comparison } = input;
    const reactiveName = comparison === null ? null : comparison.reactive.name;
    const legend: LegendInput = { timeline: line, view, decision: input.chosen ?? newest, reactiveName, index };
    const low = this.demandScale().low;
    const cursor = index === null ? null : (line.times[index] ?? null);
    draw(
      this.element,
      h(
        "div",
        { class: "head" },
        h("h2", {}, "Demand and capacity"),
        h("span", { class: "faint" }, low === 0 ? view.signal : `${view.signal}, axis from ${quantity(low)}`),
        h("span", { class: "end" }, this.tableButton()),
        this.rangeButtons(),
      ),
      demandLegend(legend),
      lane(line, this.events, cursor),
      h("div", { id: "demand-plot", class: "canvas", role: "img", "aria-label": plotSentence(line, newest), opaque: true }),
      h("div", { class: "head sub2" }, h("h2", {}, "Replicas")),
      replicaLegend(legend),
      h("div", { id: "replica-plot", class: "canvas", role: "img", "aria-label": replicaSentence(line), opaque: true }),
      basisStrip(line),
      timeAxis(line),
      eventList(this.events),
      this.isTable && table(line, reactiveName),
    );
  }

  private tableButton() {
    const onclick = (): void => {
      this.isTable = !this.isTable;
      this.draw();
    };
    const words = this.isTable ? "Hide the table" : "Show as table";
    return h("button", { class: "link", "aria-expanded": String(this.isTable), onclick }, words);
  }

  /** Ranges that the kept history reaches into; a longer one would show nothing more. */
  private rangeButtons() {
    const { view, range } = this.input ?? { view: null, range: "1h" };
    const kept = view === null || view.oldestSeconds === null ? 0 : view.nowSeconds - view.oldestSeconds;
    const useful = RANGES.filter((each, index) => index === 0 || kept > RANGE_SECONDS[RANGES[index - 1] ?? each]);
    const buttons = useful.map((each) =>
      h("button", { "aria-pressed": String(each === range), onclick: () => this.chooseRange(each) }, each.replace(/\d+/, "$& ")),
    );
    return h("span", { class: "seg", role: "group", "aria-label": "Time range" }, ...(buttons.length > 1 ? buttons : []));
  }
}

function columns(layers: readonly Layer[], line: Timeline): (readonly Maybe[])[] {
  return layers.map(({ values }) => values(line));
}

/** How high the scale must reach so that the bracket and its words stand clear of the lines. */
function headroom(values: readonly Maybe[]): number {
  const present = values.filter((value) => value !== null);
  const highest = Math.max(0, ...present);
  return highest + BRACKET_SHARE * (highest - Math.min(highest, ...present));
}

function replicaSentence(line: Timeline): string {
  const last = (values: readonly Maybe[]): string => replicas(values.findLast((value) => value !== null) ?? null);
  return `Replicas needed ${last(line.needed)}, answered ${last(line.answered)}, existing ${last(line.existing)}, ready ${last(line.ready)}.`;
}

/** Evenly chosen rows of both charts, newest first. */
function table(line: Timeline, reactiveName: string | null) {
  const every = Math.max(1, Math.ceil(line.times.length / MOST_TABLE_ROWS));
  const heads = ["Time", "Demand", "Median", "High", "Capacity", "Needed", "Answered", "Existing", "Ready"];
  const rows = line.times.flatMap((time, index) => {
    if (index % every !== 0) return [];
    const cells = [
      ...[line.demand, line.median, line.high, line.capacity].map((values) => quantity(values[index] ?? null)),
      ...[line.needed, line.answered].map((values) => replicas(values[index] ?? null)),
      ...[line.existing, line.ready].map((values) => quantity(values[index] ?? null)),
      ...(reactiveName === null ? [] : [quantity(line.reactive[index] ?? null)]),
    ];
    return [h("tr", {}, h("th", { scope: "row" }, clock(time)), ...cells.map((cell) => h("td", { class: "num" }, cell)))];
  });
  const head = [...heads, ...(reactiveName === null ? [] : [reactiveName])].map((each, index) =>
    h("th", { scope: "col", class: index === 0 ? "" : "num" }, each),
  );
  return h("div", { class: "numbers", tabindex: 0 }, h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows.reverse())));
}
