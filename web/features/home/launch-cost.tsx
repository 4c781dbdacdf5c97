"use client";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { useRunRounds } from "../../data/queries.ts";
import { costSentence } from "../../words/launch.ts";
import { launchCost, newestRunOf } from "./launch.ts";

interface LaunchCostProps {
  readonly view: TaskView;
  readonly runs: readonly RunView[];
  readonly rounds: number;
}

/** Bytes, time and privacy of the run to be launched, in a few sentences. */
export function LaunchCostLine({ view, runs, rounds }: LaunchCostProps) {
  const newest = newestRunOf(view, runs);
  const { data: done = [] } = useRunRounds(newest?.runId);
  return (
    <p className="col-span-2 border-y border-rule py-3 text-sm text-pretty text-ink-2">
      {costSentence(launchCost(view, newest, done, rounds), rounds)}
    </p>
  );
}
