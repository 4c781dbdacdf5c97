"use client";
import type { RunView } from "#shared/protocol/api.ts";
import { useLastRound } from "../../data/queries.ts";
import { ScoreSmall } from "../../score/score-small.tsx";
import { scoreSentence } from "../../words/sentences.ts";
import { newestVersion } from "../../words/waiting.ts";

/** A run's open round in small, else its last one; the place is held until it has come. */
export function LastScore({ run }: { readonly run: RunView }) {
  const { data: last } = useLastRound(run.runId, newestVersion(run));
  const round = run.currentRound ?? last;
  return (
    <div className="h-14 w-32">
      {round != null && <ScoreSmall round={round} label={scoreSentence(round, run.endedBy)} />}
    </div>
  );
}
