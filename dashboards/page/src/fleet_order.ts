// Which policies the fleet shows, and in which order.
import type { Mode, PolicySummary, State } from "./documents";
import { STATES } from "./states";

export interface Filter {
  readonly text: string;
  readonly state: State | null;
  readonly mode: Mode | null;
}

export type Column = "name" | "namespace" | "mode" | "state" | "replicas" | "lead" | "model" | "risk";

export interface Order {
  readonly column: Column;
  readonly isDescending: boolean;
}

export function keyOf(policy: { readonly namespace: string; readonly name: string }): string {
  return `${policy.namespace}/${policy.name}`;
}

export function matches(policy: PolicySummary, filter: Filter): boolean {
  const text = `${keyOf(policy)} ${policy.sentence ?? ""}`.toLowerCase();
  return (
    text.includes(filter.text.trim().toLowerCase()) &&
    (filter.state === null || policy.state === filter.state) &&
    (filter.mode === null || policy.mode === filter.mode)
  );
}

export function isOverspent(policy: PolicySummary): boolean {
  return policy.riskUsed !== null && policy.riskUsed > policy.risk;
}

export function sorted(policies: readonly PolicySummary[], order: Order): PolicySummary[] {
  const direction = order.isDescending ? -1 : 1;
  return [...policies].sort(
    (a, b) => direction * compared(a, b, order.column) || a.name.localeCompare(b.name) || keyOf(a).localeCompare(keyOf(b)),
  );
}

function compared(a: PolicySummary, b: PolicySummary, column: Column): number {
  switch (column) {
    case "state":
      return urgency(a) - urgency(b);
    case "replicas":
      return (a.answer ?? -1) - (b.answer ?? -1);
    case "lead":
      return a.leadTimeSeconds - b.leadTimeSeconds;
    case "risk":
      return (a.riskUsed ?? 0) / a.risk - (b.riskUsed ?? 0) / b.risk;
    case "model":
      return (a.model ?? "").localeCompare(b.model ?? "");
    case "name":
    case "namespace":
    case "mode":
      return a[column].localeCompare(b[column]);
  }
}

/** Conflict, holding, risk overspent, then the other states in their order. */
function urgency(policy: PolicySummary): number {
  const rank = STATES.indexOf(policy.state);
  const holding = STATES.indexOf("Holding");
  return rank > holding && isOverspent(policy) ? holding + 0.5 : rank;
}

/** The name that looks most like a mistyped one: the fewest letters to change, by Levenshtein. */
export function nearestName(text: string, names: readonly string[]): string | null {
  const distances = names.map((name) => [distance(text.toLowerCase(), name.toLowerCase()), name] as const);
  const best = distances.sort(([a], [b]) => a - b)[0];
  return best !== undefined && best[0] <= Math.max(2, text.length / 2) ? best[1] : null;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
