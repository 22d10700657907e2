// The decision ledger: a run of equal decisions is one row; the chosen one shows its whole record.
import type { DecisionRow, PolicyDetail, SignalRecord } from "./documents";
import { type Child, type Drawn, h } from "./dom";
import { duration, moment, quantileName, quantity, replicas, share, toSeconds } from "./format";
import { copyButton } from "./frame";
import { deciding, perReplica } from "./policy_head";

export interface Ledger {
  readonly rows: readonly DecisionRow[];
  readonly isWhole: boolean;
  readonly policy: PolicyDetail;
  readonly open: string | null; // `since` of the row whose record is shown
  readonly choose: (row: DecisionRow) => void;
  readonly older: () => void;
}

export function ledger({ rows, isWhole, policy, open, choose, older }: Ledger): Drawn {
  const heads: readonly (readonly [string, string])[] = [
    ["Time", ""],
    ["Need", "num c-need"],
    ["Changed by", ""],
    ["Answer", "num"],
    ["Replicas", "num"],
    ["Reason", ""],
  ];
  const lines = rows.flatMap((row, index) => {
    const isOpen = row.since === open;
    const line = tableRow(row, rows[index - 1], isOpen, choose, toSeconds(policy.now));
    return isOpen ? [line, recordRow(row, policy)] : [line];
  });
  return h(
    "section",
    { "aria-labelledby": "ledger-title" },
    h("div", { class: "head" }, h("h2", { id: "ledger-title" }, "Decisions"), h("span", { class: "faint" }, "newest first; decisions alike are one row")),
    h(
      "table",
      { class: "ledger" },
      h("thead", {}, h("tr", {}, ...heads.map(([label, kind]) => h("th", { scope: "col", class: kind }, label)))),
      h("tbody", {}, ...lines),
    ),
    h("p", { class: "note" }, `${rows.reduce((sum, { count }) => sum + count, 0).toLocaleString("en-US")} decisions. `, isWhole ? null : h("button", { class: "link", onclick: older }, "Older")),
  );
}

function tableRow(row: DecisionRow, newer: DecisionRow | undefined, isOpen: boolean, choose: (row: DecisionRow) => void, now: number): Drawn {
  const { decision } = row;
  const changed = decision.clamps.map(({ name }) => name).join(", ");
  const onclick = (): void => choose(row);
  return h(
    "tr",
    { key: row.since, class: isOpen ? "chosen" : "" },
    h("td", { class: "t" }, h("button", { class: "link", "aria-expanded": String(isOpen), onclick }, moment(toSeconds(row.since), now)), extent(row)),
    h("td", { class: "num c-need" }, replicas(decision.need)),
    h("td", { class: "clamp" }, changed === "" ? h("span", { class: "none" }, "none") : changed),
    h("td", { class: "num c-ans" }, replicas(decision.answer)),
    h("td", { class: "num nowrap c-rep" }, movement(row, newer)),
    h("td", { class: "why" }, decision.sentence),
  );
}

function extent({ since, until, count }: DecisionRow): Child {
  if (count === 1) return null;
  return [" ", h("span", {}, `to ${moment(toSeconds(until), toSeconds(since))}, ${count.toLocaleString("en-US")} alike`)];
}

function movement({ decision }: DecisionRow, newer: DecisionRow | undefined): string {
  const here = decision.replicas?.existing;
  const next = newer?.decision.replicas?.existing;
  if (here === undefined) return "?";
  return next === undefined || next === here ? String(here) : `${here} → ${next}`;
}

function recordRow(row: DecisionRow, policy: PolicyDetail): Drawn {
  const { decision } = row;
  const command = `foretide explain ${policy.name} -n ${policy.namespace} --at ${decision.at}`;
  return h(
    "tr",
    { key: `${row.since} record`, class: "inputs" },
    h(
      "td",
      { colspan: 6 },
      h("div", { class: "record" }, inputs(row, policy), steps(row)),
      h("p", { class: "actions" }, h("code", {}, command), copyButton(command, "Copy command"), copyButton(JSON.stringify(decision, null, 2), "Copy record as JSON")),
    ),
  );
}

function inputs({ decision }: DecisionRow, policy: PolicyDetail): Drawn {
  const there = decision.replicas;
  const rows: (readonly [string, string])[] = decision.signals.flatMap((signal) => signalInputs(signal, decision.signals.length > 1));
  rows.push(["Look-ahead", `${duration(decision.lookAheadSeconds ?? 0)}, of it ${duration(policy.leadTimeSeconds)} start-up`]);
  rows.push(["Replicas", there === null ? "not known" : `${there.existing} exist, ${there.ready} ready, ${Math.max(0, there.existing - there.ready)} starting${there.isRollingOut ? "; in the middle of a rollout" : ""}`]);
  rows.push(["HPA", `tolerance ${share(policy.tolerance)}, scale-in wait ${duration(policy.stabilizationSeconds)}`]);
  return h("div", {}, h("h3", {}, "Inputs"), h("dl", { class: "kv" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function signalInputs(signal: SignalRecord, isNamed: boolean): (readonly [string, string])[] {
  const { peak, distrust } = signal;
  const known = signal.at === null ? "never seen" : `${quantity(signal.demand)} at ${moment(toSeconds(signal.at), toSeconds(signal.at))}`;
  const state = signal.state === "OK" ? "" : `, now ${signal.state}`;
  const rows: (readonly [string, string])[] = [[isNamed ? signal.name : "Demand", known + state]];
  if (peak !== null) {
    const until = toSeconds(peak.until);
    rows.push(["Forecast", `${peak.model}; by ${moment(until, until)} median ${quantity(peak.median)}, ${quantileName(peak.level)} quantile ${quantity(peak.value)}`]);
    rows.push(["Calibration", `${(peak.calibration ?? 0) < 0 ? "takes" : "adds"} ${quantity(Math.abs(peak.calibration ?? 0))}`]);
  }
  if (distrust !== null) rows.push(["Not used", distrust]);
  rows.push(["Capacity", perReplica(signal)]);
  return rows;
}

function steps({ decision }: DecisionRow): Drawn {
  const signal = deciding(decision);
  const peak = signal !== undefined && signal.distrust === null ? (signal.peak?.value ?? null) : null;
  const line = (name: string, how: string, value: string, kind: string): Drawn =>
    h("tr", { class: kind }, h("td", {}, name), h("td", {}, how), h("td", { class: "num" }, value));
  const over = (value: number | null): string => `${quantity(value)} ÷ ${quantity(signal?.capacity ?? null)}`;
  const isForecast = decision.basis === "forecast" && peak !== null;
  return h(
    "div",
    {},
    h("h3", {}, "From need to answer"),
    h(
      "table",
      { class: "steps" },
      h(
        "tbody",
        {},
        isForecast && line("Forecast need", over(peak), replicas(peak / (signal?.capacity ?? 1)), "did"),
        line("Raw need", decision.rawNeed === null ? "demand is not known" : over(signal?.demand ?? null), replicas(decision.rawNeed), isForecast ? "" : "did"),
        decision.clamps.map(({ name, reason, after }) => line(name, reason, replicas(after), "did")),
        decision.clamps.length === 0 && line("Clamps", "none changed it", replicas(decision.answer), ""),
        line("Answer", decision.answer === null ? "refused" : "", replicas(decision.answer), "last"),
        decision.forKeda !== decision.answer && line("KEDA gets", decision.mode === "Shadow" ? "the raw need, as this is Shadow" : "the raw need", replicas(decision.forKeda), "did"),
      ),
    ),
  );
}
