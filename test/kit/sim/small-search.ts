import { RULES, roundFacts } from "#test/kit/worlds/round-cast.ts";
import type { SearchOptions } from "./search.ts";

/** Short and all equal, so that few distances between two deadlines are possible. */
const DEADLINE_MS = 6_000;
const deadlines = {
  recruitingMs: DEADLINE_MS,
  trainingMs: DEADLINE_MS,
  sharingMs: DEADLINE_MS,
  collectingMs: DEADLINE_MS,
  confirmingMs: DEADLINE_MS,
  unmaskingMs: DEADLINE_MS,
  graceMs: DEADLINE_MS,
};

/** Three devices and a stranger in the active model; each device may come and go. */
export function smallSearch(rules: Partial<typeof RULES>, options: Partial<SearchOptions>): SearchOptions {
  const facts = roundFacts({ rules: { ...RULES, goal: 3, cohortSizeMax: 3, deadlines, ...rules } });
  const all = { restless: [1, 2, 3], complaints: false, restarts: false, statesMax: 400_000 };
  return { facts, devices: 3, ...all, ...options };
}
