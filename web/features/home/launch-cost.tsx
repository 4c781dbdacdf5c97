"use client";
import type { ReactNode } from "react";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { useRunRounds } from "../../data/queries.ts";
import { formatBits, formatBytes, formatDuration, formatMeasure } from "../../words/format.ts";
import { NO_NOISE } from "../../words/sentences.ts";
import { launchCost, newestRunOf } from "./launch.ts";

interface LaunchCostProps {
  readonly view: TaskView;
  readonly runs: readonly RunView[];
  readonly rounds: number;
}

const RINGS = {
  16: "16-bit ring: fewer bytes; updates are mixed and rounded, and the sum is a little less exact.",
  32: "32-bit ring. A version of the task with ring 16 sends fewer bytes.",
} as const;

/** Privacy, accuracy, bytes and time of the run one is about to launch; what is not known is said. */
export function LaunchCostList({ view, runs, rounds }: LaunchCostProps) {
  const newest = newestRunOf(view, runs);
  const { data: done = [] } = useRunRounds(newest?.runId);
  const cost = launchCost(view, newest, done, rounds);
  const { upByteCount, downByteCount, measured, seconds } = cost;
  return (
    <dl className="col-span-2 grid gap-3 border-y border-rule py-3.5">
      <Cost term="Noise" value="none" note={NO_NOISE} />
      <Cost
        term="Accuracy so far"
        value={view.accuracy === null ? "not known" : formatMeasure(view.accuracy)}
        note={
          view.accuracy !== null
            ? "Held-out rows, newest round of this task that was evaluated."
            : view.latestModelHash === null
              ? "No round of this task has been opened."
              : "No round of this task has been evaluated yet."
        }
      />
      <Cost
        term="For each device and round"
        value={formatBytes(upByteCount + downByteCount)}
        note={`${formatBytes(upByteCount)} up, ${formatBytes(downByteCount)} down${measured ? ", as in the newest run of this task." : "; keys come on top and grow with the cohort."}`}
      />
      <Cost
        term="A weight, masked"
        value={formatBits(view.bitsPerWeight)}
        note={RINGS[view.task.aggregation.ring]}
      />
      <Cost
        term="The run takes"
        value={seconds === null ? "not known" : `about ${formatDuration(seconds)}`}
        note={
          cost.secondsPerRound === null
            ? "No round of this task has been timed."
            : seconds === null
              ? "Give the number of rounds."
              : "As long a round as in the newest run of this task."
        }
      />
    </dl>
  );
}

function Cost({
  term,
  value,
  note,
}: {
  readonly term: string;
  readonly value: string;
  readonly note: ReactNode;
}) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-4">
      <dt className="text-sm text-ink-2">{term}</dt>
      <dd className="font-serif text-[1.25rem] leading-tight">{value}</dd>
      <dd className="note col-span-2">{note}</dd>
    </div>
  );
}
