// The evidence column: what speaks for the answer and what against it.
import type { Advantage, Comparison, PolicyDetail, Score } from "./documents";
import { type Child, type Drawn, h } from "./dom";
import { duration, moment, number, percent, quantileName, share, toSeconds } from "./format";
import { copyButton } from "./frame";

// the coverage dots span this many points either side of what was promised
const COVERAGE_POINTS = 2;

export function evidence(policy: PolicyDetail, comparison: Comparison | null): Drawn {
  return h(
    "aside",
    { class: "side", "aria-label": "Evidence" },
    comparison !== null && against(comparison),
    leadTime(policy),
    trust(policy),
    policy.coverage.length > 0 && coverage(policy),
    conditions(policy),
    scaledObject(policy),
  );
}

function section(title: string, note: string, ...content: Child[]): Drawn {
  return h("section", { key: title }, h("div", { class: "head" }, h("h2", {}, title), h("span", { class: "end faint" }, note)), ...content);
}

function against({ foretide, reactive, sinceSeconds, untilSeconds }: Comparison): Drawn {
  const row = (name: string, read: (score: Score) => number | null, digits: number, isShare: boolean): Drawn => {
    const [ours, theirs] = [read(foretide.score), read(reactive.score)];
    const say = (value: number | null): string => (isShare && value !== null ? percent(value, digits) : number(value, digits));
    const difference = ours === null || theirs === null ? null : ours - theirs;
    const cells = [say(ours), say(theirs), difference === null ? "none" : number(difference, digits)];
    return h("tr", {}, h("td", {}, name), ...cells.map((cell) => h("td", { class: "num" }, cell)));
  };
  const heads = [foretide.name, reactive.name, "difference"].map((each) => h("th", { class: "num", scope: "col" }, each));
  return section(
    "Same load, two ways",
    `${duration(untilSeconds - sinceSeconds)} so far`,
    h(
      "table",
      { class: "mini" },
      h("thead", {}, h("tr", {}, h("th", {}, ""), ...heads)),
      h(
        "tbody",
        {},
        row("Replica-hours", ({ replicaHours }) => replicaHours, 1, false),
        row("Time short", ({ shortPct }) => shortPct, 2, true),
        row("Requests unserved", ({ unservedPct }) => unservedPct, 2, true),
        row("Changes an hour", ({ actionsPerH }) => actionsPerH, 1, false),
        row("Cost, 1 is the least", ({ cost }) => cost, 2, false),
      ),
    ),
    h("p", { class: "note" }, verdict(foretide.score, reactive.score, reactive.name)),
  );
}

/** A saving never stands without the shortage. */
function verdict(ours: Score, theirs: Score, name: string): string {
  if (ours.unservedPct === null || theirs.unservedPct === null || theirs.replicaHours === 0) return "";
  const cost = 100 * (ours.replicaHours / theirs.replicaHours - 1);
  const shortage = ours.unservedPct - theirs.unservedPct;
  const hours = Math.abs(cost) < 0.05 ? "The same replica-hours" : `${percent(Math.abs(cost), 1)} ${cost < 0 ? "fewer" : "more"} replica-hours`;
  const least = Math.abs(shortage) < 0.005 ? "the same share" : `${number(Math.abs(shortage), 2)} points ${shortage < 0 ? "less" : "more"}`;
  return `${hours} than ${name}, with ${least} of the requests unserved.`;
}

function leadTime(policy: PolicyDetail): Drawn {
  const rest = policy.lookAheadSeconds - policy.leadTimeSeconds;
  return section(
    "Lead time",
    policy.leadTimeMeasuredFrom === null ? "declared" : `measured from ${policy.leadTimeMeasuredFrom} start-ups`,
    h("p", {}, h("span", { class: "fig" }, duration(policy.leadTimeSeconds)), h("span", { class: "muted" }, "start-up, created to Ready")),
    h("p", { class: "note" }, `With ${duration(rest)} for the HPA’s sync and the age of the data, decisions look ${duration(policy.lookAheadSeconds)} ahead.`),
    policy.leadTime !== null && h("p", { class: "note" }, `${policy.leadTime.sentence}.`),
  );
}

function trust(policy: PolicyDetail): Drawn {
  const isAlone = policy.signals.length === 1;
  const answering = new Set(policy.advantages.map(({ signal, family }) => `${signal} ${family}`));
  const rows = [...policy.trust].sort((a, b) => (a.loss ?? Infinity) - (b.loss ?? Infinity));
  const lines = rows.map(({ signal, model, loss, isTrusted, note }) => {
    const isChosen = answering.has(`${signal} ${model}`);
    const word = isChosen ? "answers" : loss === null ? "" : isTrusted ? "keeps the risk" : "does not keep the risk";
    return h(
      "tr",
      { class: isChosen ? "on" : "", title: note },
      h("td", {}, isAlone ? model : `${signal}: ${model}`, " ", h("span", { class: "faint word" }, word)),
      h("td", { class: "num" }, loss === null ? "none yet" : number(loss, 2)),
    );
  });
  const learning = rows.filter(({ loss, note }) => loss === null && note !== "").map(({ model, note }) => `${model}: ${note}.`);
  return section(
    "Trust",
    "replicas, reactive is 1.00",
    policy.advantages.map((each) => bought(each, policy, isAlone)),
    rows.length === 0
      ? h("p", { class: "muted" }, "No expert has been measured yet.")
      : h("table", { class: "mini" }, h("thead", {}, h("tr", {}, h("th", {}, "Best of its family"), h("th", { class: "num" }, "lately"))), h("tbody", {}, ...lines)),
    learning.length > 0 && h("p", { class: "note" }, learning.join(" ")),
  );
}

/** A saving never stands without the shortage. */
function bought(advantage: Advantage, policy: PolicyDetail, isAlone: boolean): Drawn {
  const { own, reactive, saved, since, signal } = advantage;
  const who = isAlone ? own.expert : `${signal}: ${own.expert}`;
  const name = h("p", {}, h("b", {}, who), " ", h("span", { class: "muted nowrap" }, `answers since ${moment(toSeconds(since), toSeconds(policy.now))}`));
  const short = `short ${share(own.short)} of the time`;
  if (saved === null || reactive === null) {
    const why = advantage.isReactive ? "no forecast has cost less and kept the risk" : "no reactive margin keeps the risk";
    const rest = advantage.keepsRisk ? why : "none keeps the risk";
    return h("div", { class: "bought" }, name, h("p", {}, h("span", { class: "fig" }, number(own.replicas, 1)), h("span", { class: "muted" }, `replicas, ${short}`)), h("p", { class: "note" }, `${simulated(advantage)}: ${rest}.`));
  }
  const many = Math.abs(saved) < 0.005 ? "As many" : `${percent(100 * Math.abs(saved), 0)} ${saved > 0 ? "fewer" : "more"}`;
  const beside = `${number(own.replicas, 1)} replicas where ${reactive.expert} takes ${number(reactive.replicas, 1)}; ${short} where that is ${share(reactive.short)}`;
  return h("div", { class: "bought" }, name, h("p", {}, h("span", { class: "fig" }, many), h("span", { class: "muted" }, `replicas, ${short}`)), h("p", { class: "note" }, `${simulated(advantage)}: ${beside}; risk ${share(policy.risk)}.`));
}

function simulated({ latelySeconds }: Advantage): string {
  return `In the simulation of the last ${duration(Math.max(1, Math.round(latelySeconds / 3600)) * 3600)}`;
}

function coverage(policy: PolicyDetail): Drawn {
  const deciding = 1 - policy.risk;
  const lines = policy.coverage.map(({ level, observed }) => {
    const off = observed === null ? 0 : 100 * (observed - level);
    const place = Math.min(100, Math.max(0, 50 + (off / COVERAGE_POINTS) * 50));
    const dots = h("span", { class: "dots" }, h("i", {}), observed !== null && h("em", { style: { left: `${place.toFixed(0)}%` } }));
    return h(
      "tr",
      { class: Math.abs(level - deciding) < 1e-9 ? "on" : "" },
      h("td", {}, quantileName(level)),
      h("td", { class: "num" }, observed === null ? "none yet" : share(observed)),
      h("td", {}, dots),
    );
  });
  const most = Math.max(...policy.coverage.map(({ count }) => count));
  const used = policy.riskUsed === null ? "" : `, used ${share(policy.riskUsed)} of the time`;
  return section(
    "Coverage",
    `${most.toLocaleString("en-US")} forecasts`,
    h(
      "table",
      { class: "mini" },
      h("thead", {}, h("tr", {}, h("th", {}, "Quantile"), h("th", { class: "num" }, "demand was below"), h("th", {}, `±${COVERAGE_POINTS} points`))),
      h("tbody", {}, ...lines),
    ),
    h("p", { class: "note" }, `Risk allowed ${share(policy.risk)}${used}.`),
  );
}

function conditions(policy: PolicyDetail): Drawn {
  const now = toSeconds(policy.now);
  const items = policy.conditions.map(({ type, status, reason, message, since }) =>
    h(
      "li",
      {},
      h("div", { class: "k" }, h("b", {}, type), h("span", { class: "muted" }, `${status === null ? "unknown" : status ? "true" : "false"}, ${reason}`)),
      h("p", { class: "muted" }, message === "" ? "" : `${message} `, h("span", { class: "faint nowrap" }, `since ${moment(toSeconds(since), now)}`)),
    ),
  );
  return section("Conditions", "", h("ul", { class: "list" }, ...items));
}

function scaledObject({ name }: PolicyDetail): Drawn {
  const trigger = `triggers:\n- type: external-push\n  metadata:\n    scalerAddress: foretide.foretide:6000\n    policy: ${name}`;
  return h(
    "section",
    { key: "ScaledObject" },
    h("div", { class: "head" }, h("h2", {}, "ScaledObject"), h("span", { class: "end" }, copyButton(trigger))),
    h("pre", {}, trigger),
    h("p", { class: "note" }, "In the policy’s namespace; the address is that of the agent’s Service."),
  );
}
