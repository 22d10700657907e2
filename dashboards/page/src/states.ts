// Every state has a shape and a word before it has a colour.
import type { PolicySummary, State } from "./documents";
import { type Drawn, h } from "./dom";
import { shortClock, toSeconds } from "./format";

/** From what needs a person first to what does not. */
export const STATES: readonly State[] = ["Conflict", "Holding", "Reactive", "Learning", "Trusted"];

const TONE: Readonly<Record<State, string>> = {
  Conflict: "is-bad",
  Holding: "is-warn",
  Reactive: "is-ink",
  Learning: "is-ink",
  Trusted: "",
};

export function shape(state: State | "Unreachable"): Drawn {
  return h("svg", { class: "i", viewBox: "0 0 12 12", "aria-hidden": "true" }, ...parts(state));
}

function parts(state: State | "Unreachable"): Drawn[] {
  const ring = h("circle", { cx: 6, cy: 6, r: 3.5, fill: "none", stroke: "currentColor", "stroke-width": 1.25 });
  const filled = (d: string): Drawn => h("path", { d, fill: "currentColor" });
  switch (state) {
    case "Trusted":
      return [h("circle", { cx: 6, cy: 6, r: 4, fill: "currentColor" })];
    case "Reactive":
      return [ring];
    case "Learning":
      return [ring, filled("M6 2.5a3.5 3.5 0 0 1 0 7z")];
    case "Holding":
      return [filled("M3 2h2v8H3zM7 2h2v8H7z")];
    case "Conflict":
      return [filled("M6 .8 11.2 6 6 11.2.8 6z")];
    case "Unreachable":
      return [filled("M6 1 11.5 11H.5z")];
  }
}

export function stateMark(policy: PolicySummary, detail: string): Drawn {
  const words = detail === "" ? policy.state : `${policy.state}${detail}`;
  return h("span", { class: `st ${TONE[policy.state]}`, title: policy.stateNote ?? "" }, shape(policy.state), words);
}

/** What a row has room for: since when, or how much is missing. */
export function briefState(policy: PolicySummary): string {
  if (policy.state === "Holding" && policy.stateSince !== null) {
    return ` since ${shortClock(toSeconds(policy.stateSince))}`;
  }
  const more = /needs (.+? more)/.exec(policy.stateNote ?? "");
  return policy.state === "Learning" && more !== null ? `, ${more[1]}` : "";
}

/** The whole of it, on the policy's own page. */
export function fullState(policy: PolicySummary): string {
  if (policy.state === "Trusted") return "";
  if (policy.stateNote !== null && policy.stateNote !== "") return `, ${policy.stateNote}`;
  return policy.stateSince === null ? "" : ` since ${shortClock(toSeconds(policy.stateSince))}`;
}
