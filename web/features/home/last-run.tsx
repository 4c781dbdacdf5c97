"use client";
import Link from "next/link";
import type { RunView } from "#shared/protocol/api.ts";
import { useLastRound } from "../../data/queries.ts";
import { Score } from "../../score/score.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { endingOf } from "../../words/endings.ts";
import { formatWhenUtc } from "../../words/format.ts";
import { figureCell } from "../../words/measures.ts";
import { newestFigures } from "../../words/run-curve.ts";
import { runName } from "../../words/sentences.ts";
import { committedWords, newestVersion } from "../../words/waiting.ts";
import { resultOf } from "../run/round-result.ts";

/** The run that ended last, drawn by its last round; stands where a running one would. */
export function LastRun({ run }: { readonly run: RunView }) {
  const { data: round } = useLastRound(run.runId, newestVersion(run));
  const { mark, words } = endingOf(run);
  const last = newestFigures(run);
  return (
    <article className="grid grid-cols-[minmax(0,1fr)] gap-4 border-t border-ink pt-5">
      <div>
        <h3>
          <Link href={`/runs/${run.runId}`} className="no-underline hover:underline">
            {runName(run)}
          </Link>
          {round != null && ", its last round"}
        </h3>
        <p className="mt-1.5 flex flex-wrap gap-x-6 gap-y-1 text-sm text-ink-2">
          <StatusMark kind={mark}>{words}</StatusMark>
          <span>{committedWords(run)}</span>
          {last !== null && <b className="font-semibold text-sum">{figureCell(last.measures)}</b>}
          {run.endedAt !== null && <span>{formatWhenUtc(run.endedAt)}</span>}
          {round?.phase === "committed" && (
            <Link href={`/audit/rounds/${round.roundId}`}>Check its last round in this browser</Link>
          )}
        </p>
      </div>
      {round === null && <p className="read text-ink-2">It ended before its first round.</p>}
      {round != null && <Score round={round} result={resultOf(round)} endedBy={run.endedBy} />}
    </article>
  );
}
