// Reads the agent's API. Two failures are told apart: no answer at all, and an answer that says what is wrong.
import type { Comparison, DecisionList, ForecastView, PolicyDetail, PolicyList, Trend } from "./documents";

const TIMEOUT_MILLISECONDS = 10_000;

/** The agent did not answer. */
export class Unreachable extends Error {}

/** The agent answered with a problem document (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly nearest: string | null,
  ) {
    super(detail);
  }
}

export const RANGES = ["1h", "6h", "24h", "7d"] as const;
export type Range = (typeof RANGES)[number];
export const RANGE_SECONDS: Readonly<Record<Range, number>> = { "1h": 3600, "6h": 21_600, "24h": 86_400, "7d": 604_800 };

export function policies(): Promise<PolicyList> {
  return read<PolicyList>("/policies");
}

export async function trends(keys: readonly string[]): Promise<readonly Trend[]> {
  const query = new URLSearchParams(keys.map((key) => ["policy", key]));
  return (await read<{ trends: readonly Trend[] }>(`/trends?${query}`)).trends;
}

export function policy(key: string): Promise<PolicyDetail> {
  return read<PolicyDetail>(path(key));
}

export function forecast(key: string, range: Range): Promise<ForecastView> {
  return read<ForecastView>(`${path(key)}/forecast?range=${range}`);
}

export function comparison(key: string, range: Range): Promise<Comparison> {
  return read<Comparison>(`${path(key)}/comparison?range=${range}`);
}

export function decisions(key: string, limit: number): Promise<DecisionList> {
  return read<DecisionList>(`${path(key)}/decisions?limit=${limit}`);
}

function path(key: string): string {
  return `/policies/${key.split("/").map(encodeURIComponent).join("/")}`;
}

async function read<T>(where: string): Promise<T> {
  const response = await answer(where);
  if (response.ok) return (await response.json()) as T;
  throw await problem(response);
}

async function answer(where: string): Promise<Response> {
  try {
    return await fetch(`/api/v1${where}`, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS), cache: "no-store" });
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

async function problem(response: Response): Promise<Error> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
  // a proxy in between speaks for an agent that does not answer
  if (!isProblem) return new Unreachable(`${response.status} ${response.statusText}`);
  const said = (await response.json()) as { detail: string; nearest?: string };
  return new Problem(response.status, said.detail, said.nearest ?? null);
}
