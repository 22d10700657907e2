// The head of a policy's page: who it is, what is answered in one sentence, and the arithmetic of it.
import type { Decision, PolicyDetail, SignalRecord } from "./documents";
import { type Child, type Drawn, h } from "./dom";
import { duration, NARROW, quantity, replicas, share, shortClock, toSeconds } from "./format";
import { fullState, stateMark } from "./states";

export function head(policy: PolicyDetail): Drawn[] {
  return [
    h("nav", { class: "crumb", "aria-label": "Path" }, h("a", { href: "/" }, "Fleet"), ` / ${policy.namespace} / ${policy.name}`),
    h(
      "div",
      { class: "title" },
      h("h1", {}, policy.name),
      h("span", { class: "muted" }, policy.namespace),
      stateMark(policy, fullState(policy)),
      h("span", {}, policy.mode === "Shadow" ? "Shadow: KEDA gets the raw need" : "Active"),
    ),
    facts(policy),
  ];
}

function facts(policy: PolicyDetail): Drawn {
  const other = policy.mode === "Active" ? "Shadow" : "Active";
  const gets = policy.mode === "Active" ? "this answer" : "the raw need";
  return h(
    "dl",
    { class: "facts" },
    h("dt", {}, "Target"),
    h("dd", {}, `${target(policy)}, ${policy.minimum} to ${policy.maximum} replicas, risk ${share(policy.risk)}`),
    h("dt", {}, "Mode"),
    h("dd", {}, h("span", {}, `${policy.mode}: KEDA gets ${gets}. This page only reads; to change it, set`), h("code", {}, `spec.mode: ${other}`)),
    ...policy.signals.flatMap((signal) => [
      h("dt", { class: "wide" }, policy.signals.length === 1 ? "Demand" : signal.name),
      h("dd", { class: "wide" }, h("code", {}, query(policy, signal.name)), h("span", { class: "muted" }, `every ${duration(signal.stepSeconds)}`)),
    ]),
  );
}

function target({ document, namespace, name }: PolicyDetail): string {
  const reference = field(field(document, "spec"), "scaleTargetRef");
  return `${text(field(reference, "kind"), "target")} ${text(field(reference, "name"), name)} in namespace ${namespace}`;
}

/** What a signal is read with, as its document says. */
function query({ document }: PolicyDetail, signal: string): string {
  const spec = field(document, "spec");
  const listed = field(spec, "signals");
  const entries = Array.isArray(listed) ? (listed as unknown[]) : [field(spec, "demand")];
  const demand = entries.find((entry) => field(entry, "name") === signal) ?? entries[0];
  const prometheus = text(field(field(demand, "prometheus"), "query"), "");
  const kinds = ["csv", "kafka", "queue", "preset", "simulator"].filter((kind) => field(demand, kind) !== undefined);
  return prometheus === "" ? (kinds[0] ?? "not known") : prometheus;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

/** The record's own sentence, led by the answer, and how it came about. */
export function decisionBlock(policy: PolicyDetail): Drawn {
  const { decision } = policy;
  if (decision === null) {
    return h("section", { class: "decision", "aria-label": "Newest decision" }, h("p", {}, h("b", {}, "No decision yet."), " KEDA gets an error until there is one."));
  }
  const steps = chain(decision, policy).map((step) => h("li", {}, ...step));
  return h(
    "section",
    { class: "decision", "aria-label": "Newest decision" },
    h("p", {}, h("b", {}, `${lead(decision, policy)}:`), ` ${decision.sentence}.`),
    h("ol", { class: "chain" }, ...steps),
  );
}

/** "13 replicas needed by 14:32". */
export function lead(decision: Decision, policy: PolicyDetail): string {
  const { answer, basis } = decision;
  if (answer === null) return "No answer is given";
  const whole = Math.ceil(answer);
  const who = `${whole} ${whole === 1 ? "replica" : "replicas"}`;
  if (policy.state === "Conflict") return "The raw need is answered";
  const [be, needed] = decision.mode === "Shadow" ? [" would be", "needed"] : ["", "needed"];
  switch (basis) {
    case "forecast": {
      const until = deciding(decision)?.peak?.until;
      return until === undefined ? `${who}${be} ${needed} now` : `${who}${be} ${needed} by ${shortClock(toSeconds(until))}`;
    }
    case "learning":
      return `${who} by raw need`;
    case "held":
      return `${who} ${whole === 1 ? "is" : "are"} held`;
    default:
      return `${who}${be} ${needed} now`;
  }
}

function chain(decision: Decision, policy: PolicyDetail): Child[][] {
  const { answer, need, rawNeed, clamps } = decision;
  const signal = deciding(decision);
  const steps: Child[][] = [];
  if (signal !== undefined && need !== null) steps.push(division(decision, signal, need));
  if (rawNeed !== null && need !== null && rawNeed < need) steps.push([`raw need ${replicas(rawNeed)} is below`]);
  for (const { name, before, after } of clamps) steps.push([`${name}: ${replicas(before)} → `, h("b", {}, replicas(after))]);
  if (clamps.length === 0) steps.push(["no clamp changed it"]);
  if (answer !== null) steps.push(["answered ", h("b", {}, replicas(answer))]);
  return [...steps, ...given(decision, policy)];
}

function division(decision: Decision, signal: SignalRecord, need: number): Child[] {
  const demand = decision.basis === "forecast" ? (signal.peak?.value ?? signal.demand) : signal.demand;
  return [`${quantity(demand)} ÷ ${quantity(signal.capacity)} = `, h("b", {}, replicas(need))];
}

/** What the autoscaler makes of it. */
function given({ answer, forKeda, replicas: there }: Decision, { tolerance }: PolicyDetail): Child[][] {
  if (forKeda === null || answer === null) return [["KEDA gets an error and holds"]];
  const passed: Child[][] = forKeda === answer ? [] : [["KEDA gets ", h("b", {}, replicas(forKeda))]];
  if (there === null || there.existing === 0) return passed;
  const ratio = forKeda / there.existing;
  if (Math.abs(ratio - 1) <= tolerance) return [...passed, [`within the HPA’s ${share(tolerance)}, ${there.existing} stay`]];
  return [...passed, [`the HPA rounds up, ${there.existing} → `, h("b", {}, String(Math.ceil(forKeda - 1e-9)))]];
}

/** The signal that asks for the most. */
export function deciding(decision: Decision): SignalRecord | undefined {
  const asked = ({ demand, capacity, peak, distrust }: SignalRecord): number =>
    Math.max(demand ?? 0, distrust === null ? (peak?.value ?? 0) : 0) / (capacity ?? 1);
  return [...decision.signals].sort((a, b) => asked(b) - asked(a))[0];
}

export function perReplica(signal: SignalRecord): string {
  return `${quantity(signal.capacity)}${NARROW}per replica`;
}
