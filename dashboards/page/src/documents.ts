// The API's documents, as agent/web/models.py and agent/web/chart_models.py write them.

export type State = "Conflict" | "Holding" | "Reactive" | "Learning" | "Trusted";
export type Mode = "Active" | "Shadow";
export type Basis = "forecast" | "reactive" | "learning" | "held" | "override" | "waking" | "refused";
export type Maybe = number | null;

export interface Condition {
  readonly type: string;
  readonly status: boolean | null;
  readonly reason: string;
  readonly message: string;
  readonly since: string;
}

export interface ReplicaCount {
  readonly existing: number;
  readonly ready: number;
  readonly isRollingOut?: boolean; // unset in records of versions that did not look
}

export interface PolicySummary {
  readonly namespace: string;
  readonly name: string;
  readonly mode: Mode;
  readonly state: State;
  readonly stateSince: string | null;
  readonly stateNote: string | null;
  readonly sentence: string | null;
  readonly rawNeed: Maybe;
  readonly need: Maybe;
  readonly answer: Maybe;
  readonly forKeda: Maybe;
  readonly replicas: ReplicaCount | null;
  readonly model: string | null;
  readonly risk: number;
  readonly riskUsed: Maybe;
  readonly lookAheadSeconds: number;
  readonly leadTimeSeconds: number;
  readonly leadTimeMeasuredFrom: number | null; // start-ups; null where it is declared
  readonly ages: { readonly data: Maybe; readonly forecast: Maybe; readonly decision: Maybe };
  readonly conditions: readonly Condition[];
}

export interface PolicyList {
  readonly now: string;
  readonly policies: readonly PolicySummary[];
}

export interface Peak {
  readonly model: string;
  readonly origin: string;
  readonly until: string;
  readonly level: number;
  readonly value: Maybe;
  readonly median: Maybe;
  readonly calibration: Maybe;
}

export interface SignalRecord {
  readonly name: string;
  readonly capacity: Maybe;
  readonly demand: Maybe;
  readonly at: string | null;
  readonly state: string;
  readonly peak: Peak | null;
  readonly distrust: string | null;
}

export interface Clamp {
  readonly name: string;
  readonly before: Maybe;
  readonly after: Maybe;
  readonly reason: string;
}

export interface Decision {
  readonly namespace: string;
  readonly name: string;
  readonly at: string;
  readonly mode: Mode;
  readonly basis: Basis;
  readonly signals: readonly SignalRecord[];
  readonly replicas: ReplicaCount | null;
  readonly lookAheadSeconds: Maybe;
  readonly rawNeed: Maybe;
  readonly need: Maybe;
  readonly clamps: readonly Clamp[];
  readonly answer: Maybe;
  readonly forKeda: Maybe;
  readonly sentence: string;
}

export interface DecisionRow {
  readonly since: string;
  readonly until: string;
  readonly count: number;
  readonly decision: Decision;
}

export interface DecisionList {
  readonly rows: readonly DecisionRow[];
  readonly isWhole: boolean;
}

export interface TrustRow {
  readonly signal: string;
  readonly model: string;
  readonly loss: Maybe;
  readonly isTrusted: boolean;
  readonly note: string;
}

export interface Account {
  readonly expert: string;
  readonly replicas: number;
  readonly short: number;
}

export interface Advantage {
  readonly signal: string;
  readonly family: string;
  readonly isReactive: boolean;
  readonly keepsRisk: boolean;
  readonly since: string;
  readonly latelySeconds: number;
  readonly own: Account;
  readonly reactive: Account | null;
  readonly saved: Maybe;
  readonly sentence: string;
}

export interface CoverageRow {
  readonly signal: string;
  readonly level: number;
  readonly observed: Maybe;
  readonly count: number;
}

export interface SignalSettings {
  readonly name: string;
  readonly stepSeconds: number;
  readonly delaySeconds: number;
  readonly windowSeconds: number;
  readonly capacity: number;
}

export interface LeadTime {
  readonly sentence: string;
}

export interface PolicyDetail extends PolicySummary {
  readonly now: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly gang: number;
  readonly tolerance: number;
  readonly stabilizationSeconds: number;
  readonly signals: readonly SignalSettings[];
  readonly advantages: readonly Advantage[];
  readonly trust: readonly TrustRow[];
  readonly coverage: readonly CoverageRow[];
  readonly leadTime: LeadTime | null; // null where nobody looks at the target's pods
  readonly decision: Decision | null;
  readonly document: { readonly [name: string]: unknown };
  readonly hasComparison: boolean;
}

export interface RegularSeries {
  readonly startSeconds: number;
  readonly stepSeconds: number;
  readonly values: readonly Maybe[];
}

export interface ForecastSeries {
  readonly model: string;
  readonly originSeconds: number;
  readonly stepSeconds: number;
  readonly valueAtOrigin: Maybe;
  readonly levels: readonly number[];
  readonly quantiles: readonly (readonly Maybe[])[];
  readonly decidingLevel: Maybe;
  readonly deciding: readonly Maybe[];
}

export interface ReplicaSteps {
  readonly timesSeconds: readonly number[];
  readonly needed: readonly Maybe[];
  readonly answered: readonly Maybe[];
  readonly existing: readonly Maybe[];
  readonly ready: readonly Maybe[];
  readonly basis: readonly (Basis | null)[];
  readonly expectedAtSeconds: readonly Maybe[];
  readonly expected: readonly Maybe[];
}

export interface ForecastView {
  readonly signal: string;
  readonly capacity: number;
  readonly nowSeconds: number;
  readonly oldestSeconds: Maybe;
  readonly demand: RegularSeries;
  readonly forecast: ForecastSeries | null;
  readonly replicas: ReplicaSteps;
}

export interface Trend {
  readonly namespace: string;
  readonly name: string;
  readonly stepSeconds: number;
  readonly demand: readonly Maybe[];
  readonly median: readonly Maybe[];
  readonly low: readonly Maybe[];
  readonly high: readonly Maybe[];
}

export interface Score {
  readonly replicaHours: number;
  readonly unservedPct: Maybe;
  readonly shortPct: Maybe;
  readonly actionsPerH: number;
  readonly cost: Maybe;
}

export interface Side {
  readonly name: string;
  readonly existing: readonly Maybe[];
  readonly ready: readonly Maybe[];
  readonly score: Score;
}

export interface Comparison {
  readonly sinceSeconds: number;
  readonly untilSeconds: number;
  readonly startSeconds: number;
  readonly stepSeconds: number;
  readonly need: readonly Maybe[];
  readonly foretide: Side;
  readonly reactive: Side;
}
