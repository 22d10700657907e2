// Which lines the two charts have. Ink is observed, accent foretold, grey capacity, dashed what was not done.
import type { Maybe } from "./documents";
import type { Band, Line } from "./plot";
import type { Timeline } from "./timeline";

export interface Layer {
  readonly line: Line;
  readonly values: (timeline: Timeline) => readonly Maybe[];
}

export const DEMAND_LAYERS: readonly Layer[] = [
  { values: ({ high }) => high, line: { colour: ({ accent }) => accent, width: 0 } },
  { values: ({ low }) => low, line: { colour: ({ accent }) => accent, width: 0 } },
  { values: ({ capacity }) => capacity, line: { colour: ({ cap }) => cap, width: 1.5, isStepped: true } },
  { values: ({ said }) => said, line: { colour: ({ accent }) => accent, width: 1.25, dash: [2, 2] } },
  { values: ({ deciding }) => deciding, line: { colour: ({ accent }) => accent, width: 1 } },
  { values: ({ median }) => median, line: { colour: ({ accent }) => accent, width: 1.75 } },
  { values: ({ demand }) => demand, line: { colour: ({ ink }) => ink, width: 1.5 } },
];

export const DEMAND_BANDS: readonly Band[] = [{ upper: 0, lower: 1, fill: ({ band }) => band }];

export const REPLICA_LAYERS: readonly Layer[] = [
  {
    values: ({ ready }) => ready,
    line: { colour: ({ capFill }) => capFill, width: 0, isStepped: true, fill: ({ capFill }) => capFill },
  },
  { values: ({ existing }) => existing, line: { colour: ({ cap }) => cap, width: 1.5, isStepped: true } },
  { values: ({ reactive }) => reactive, line: { colour: ({ ink2 }) => ink2, width: 1.25, dash: [5, 3], isStepped: true } },
  { values: ({ answered }) => answered, line: { colour: ({ ink }) => ink, width: 1.5, isStepped: true } },
  { values: ({ needed }) => needed, line: { colour: ({ accent }) => accent, width: 1.5, isStepped: true } },
  { values: ({ neededAhead }) => neededAhead, line: { colour: ({ accent }) => accent, width: 1.25, dash: [2, 2] } },
];
