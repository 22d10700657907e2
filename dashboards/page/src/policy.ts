// One policy: the answer first, then the arithmetic, then the evidence.
import * as api from "./api";
import { Charts } from "./charts";
import type { Comparison, DecisionList, DecisionRow, ForecastView, PolicyDetail } from "./documents";
import { type Child, type Drawn, found, h } from "./dom";
import { evidence } from "./evidence";
import { pathOf } from "./fleet_table";
import { age, clock, toSeconds } from "./format";
import { drawPage, listenToKeys, skeleton } from "./frame";
import { ledger } from "./ledger";
import { type Outage, Poll } from "./poll";
import { decisionBlock, head, lead } from "./policy_head";

const PERIOD_MILLISECONDS = 1000;
const SLOW_MILLISECONDS = 300;
const ROWS_PER_PAGE = 10;
const MOST_ROWS = 500;

const KEYS = [
  [["←", "→"], "earlier or later decision"],
  [["End"], "newest decision"],
  [["[", "]"], "previous or next policy"],
  [["t"], "theme"],
] as const;

/** What was read of a section, or why it could not be. */
type Read<T> = { readonly value: T | null; readonly problem: string | null };

interface Picture {
  readonly policy: PolicyDetail;
  readonly forecast: Read<ForecastView>;
  readonly decisions: Read<DecisionList>;
  readonly comparison: Read<Comparison>;
}

export class PolicyPage {
  private picture: Picture | null = null;
  private missing: api.Problem | null = null;
  private outage: Outage | null = null;
  private isSlow = false;
  private range: api.Range = "1h";
  private rows = ROWS_PER_PAGE;
  private chosen: DecisionRow | null = null; // null follows the newest
  private charts: Charts | null = null;
  private readonly poll = new Poll(() => this.refresh(), PERIOD_MILLISECONDS, (outage) => this.show({ outage }));

  constructor(private readonly key: string) {}

  start(): void {
    document.title = `Foretide: ${this.key}`;
    listenToKeys({
      ArrowLeft: () => this.step(1),
      ArrowRight: () => this.step(-1),
      End: () => this.choose(null),
      "[": () => void this.visit(-1),
      "]": () => void this.visit(1),
    });
    setTimeout(() => this.show({ isSlow: true }), SLOW_MILLISECONDS);
    this.poll.now();
  }

  private async refresh(): Promise<void> {
    try {
      const policy = await api.policy(this.key);
      const [forecast, decisions, comparison] = await Promise.all([
        section(api.forecast(this.key, this.range)),
        section(api.decisions(this.key, this.rows)),
        policy.hasComparison ? section(api.comparison(this.key, this.range)) : { value: null, problem: null },
      ]);
      this.picture = { policy, forecast, decisions, comparison };
      this.missing = null;
    } catch (error) {
      if (!(error instanceof api.Problem)) throw error;
      this.missing = error;
    }
  }

  private show(change: { outage?: Outage | null; isSlow?: boolean }): void {
    if (change.outage !== undefined) this.outage = change.outage;
    if (change.isSlow !== undefined) this.isSlow = change.isSlow;
    this.draw();
  }

  private draw(): void {
    const { picture, outage } = this;
    const policy = picture?.policy ?? null;
    const now = policy === null ? null : toSeconds(policy.now);
    const facts = policy === null || now === null ? [] : [["Agent’s time", clock(now)], ["Data", age(policy.ages.data)], ["Forecast", age(policy.ages.forecast)]] as const;
    drawPage({ facts, outage, pictureSeconds: now, tryNow: this.poll.now, keys: KEYS }, ...this.content());
    if (picture !== null && this.missing === null) this.drawCharts(picture);
  }

  private content(): Child[] {
    if (this.missing !== null) return [notThere(this.missing)];
    if (this.picture === null) {
      const isWaiting = this.isSlow && this.outage === null;
      return isWaiting ? skeleton(6, 6, `Reading ${this.key}…`) : [];
    }
    const { policy, forecast, decisions, comparison } = this.picture;
    return [
      ...head(policy),
      decisionBlock(policy),
      liveRegion(policy),
      h(
        "div",
        { class: "cols keep" },
        h(
          "div",
          { class: "main" },
          this.failed("The charts cannot be read.", forecast.problem),
          h("section", { key: "charts", id: "charts", class: "charts", "aria-label": "Charts", opaque: true }),
          this.failed("The decisions cannot be read.", decisions.problem),
          decisions.value === null ? null : this.ledger(policy, decisions.value),
        ),
        evidence(policy, comparison.value),
      ),
    ];
  }

  private drawCharts({ policy, forecast, comparison }: Picture): void {
    if (forecast.value === null) return;
    const element = found("charts");
    if (this.charts?.element !== element) {
      this.charts = new Charts(element, (range) => {
        this.range = range;
        this.poll.now();
      });
    }
    const chosen = this.chosen?.decision ?? null;
    const { range } = this;
    this.charts.show({ view: forecast.value, comparison: comparison.value, range, newest: policy.decision, chosen });
  }

  private ledger(policy: PolicyDetail, { rows, isWhole }: DecisionList): Drawn {
    const choose = (row: DecisionRow): void => this.choose(row === rows[0] ? null : row);
    const older = (): void => {
      this.rows = Math.min(MOST_ROWS, this.rows + ROWS_PER_PAGE);
      this.poll.now();
    };
    const open = this.chosen?.since ?? rows[0]?.since ?? null;
    return ledger({ rows, isWhole: isWhole || this.rows === MOST_ROWS, policy, open, choose, older });
  }

  private choose(row: DecisionRow | null): void {
    this.chosen = row;
    this.draw();
  }

  private step(by: number): void {
    const rows = this.picture?.decisions.value?.rows ?? [];
    const at = rows.findIndex(({ since }) => since === this.chosen?.since);
    const next = Math.max(0, Math.min(rows.length - 1, Math.max(0, at) + by));
    this.choose(next === 0 ? null : (rows[next] ?? null));
  }

  private async visit(by: number): Promise<void> {
    const { policies } = await api.policies();
    const at = policies.findIndex(({ namespace, name }) => `${namespace}/${name}` === this.key);
    const next = policies[(at + by + policies.length) % policies.length];
    if (next !== undefined) location.assign(pathOf(next));
  }

  /** Always there, so that the sections after it keep their place; empty while all is well. */
  private failed(what: string, why: string | null): Drawn {
    if (why === null) return h("p", { class: "failed", hidden: true });
    return h("p", { class: "failed" }, h("b", { class: "warn" }, what), ` ${why}. Decisions do not depend on it. `, h("button", { class: "link", onclick: this.poll.now }, "Try again"));
  }
}

/** A section that fails leaves the others alone; an agent that does not answer concerns all. */
async function section<T>(reading: Promise<T>): Promise<Read<T>> {
  try {
    return { value: await reading, problem: null };
  } catch (error) {
    if (error instanceof api.Problem) return { value: null, problem: error.message };
    throw error;
  }
}

/** Spoken only when the whole number of replicas changes, for that is all it says. */
function liveRegion(policy: PolicyDetail): Drawn {
  const words = policy.decision === null ? "" : lead(policy.decision, policy);
  return h("p", { class: "sr", "aria-live": "polite" }, words.replace(/ by \d\d:\d\d$/, ""));
}

function notThere({ message, nearest }: api.Problem): Drawn {
  const link = nearest === null ? [] : [" Nearest name: ", h("a", { href: `/policies/${nearest}` }, nearest), "."];
  const sentence = message.split(";")[0] ?? message;
  return h("div", { class: "nothing" }, h("p", {}, h("b", {}, `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`), ...link), h("p", { class: "actions" }, h("a", { href: "/" }, "All policies")));
}
