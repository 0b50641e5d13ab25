// Training runs: the server's answers as types, the calls that fetch them, and a run's curves kept up to date.

import { getJson } from "./api.js";

export type RunState = "running" | "finished" | "stopped" | "failed";

export interface Run {
  name: string;
  folder: string;
  state: RunState;
  stopped_early: boolean;
  step: number;
  steps: number | null;
  tokens: number;
  seconds: number;
  loss: number | null;
  validation_loss: number | null;
  bits_per_byte: number | null;
  tokens_per_second: number | null;
  share_of_peak: number | null;
  parameters: number | null;
  updated: number;
  age_seconds: number;
  seconds_left: number | null;
  bad_lines: number;
  complete: boolean;
}

export interface RunList {
  runs: Run[];
  truncated: boolean;
}

type Column = (number | null)[];

interface Common {
  step: number[];
  tokens: number[];
  seconds: number[];
}

export interface StepColumns extends Common {
  loss: Column;
  loss_low: Column;
  loss_high: Column;
  learning_rate: Column;
  gradient_norm: Column;
  tokens_per_second: Column;
  share_of_peak: Column;
}

export interface ValidationColumns extends Common {
  loss: Column;
  bits_per_byte: Column;
}

export interface Sample {
  step: number;
  prompt: string;
  text: string;
}

export interface Trouble {
  step: number;
  at_step: number;
  reason: string;
}

export interface RunMetrics {
  run: Run;
  settings: { [name: string]: unknown } | null;
  version: string;
  complete: boolean;
  next_after: number;
  span: number;
  steps: StepColumns;
  validation: ValidationColumns;
  samples: Sample[];
  troubles: Trouble[];
}

const pointsOfACurve = 800;

export const fetchRuns = (): Promise<RunList> => getJson("api/runs");

// The columns of `before` up to step `after`, then those of `news`.
function joined(before: StepColumns, after: number, news: StepColumns): StepColumns {
  const kept = before.step.findIndex((step) => step > after);
  const count = kept < 0 ? before.step.length : kept;
  const result = { ...news };
  for (const name of Object.keys(news) as (keyof StepColumns)[]) {
    // All columns are as long as "step"; those that have nulls keep them.
    (result[name] as Column) = [...before[name].slice(0, count), ...news[name]];
  }
  return result;
}

// What `name` has now; of a run that was fetched before only what is new is sent.
export async function fetchMetrics(name: string, before: RunMetrics | null): Promise<RunMetrics> {
  const path = `api/runs/${encodeURIComponent(name)}/metrics?points=${pointsOfACurve}`;
  const more = before === null ? "" : `&after=${before.next_after}&version=${encodeURIComponent(before.version)}`;
  const metrics = await getJson<RunMetrics>(path + more);
  if (before !== null && metrics.version === before.version) {
    metrics.steps = joined(before.steps, before.next_after, metrics.steps);
  }
  return metrics;
}
