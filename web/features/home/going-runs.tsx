"use client";
import Link from "next/link";
import type { RunView, Status } from "#shared/protocol/api.ts";
import { SparkLine } from "../../chart/spark-line.tsx";
import { ScoreSmall } from "../../score/score-small.tsx";
import { type StatusKind, StatusMark } from "../../ui/status-mark.tsx";
import { formatDecimal } from "../../words/format.ts";
import { noticeLine, roundLine, runName, runStatus, trendSentence } from "../../words/sentences.ts";
import { newestFigures, waitingNote, waitingPlaces, waitingSentence } from "../../words/waiting.ts";
import { JoinInvitation } from "../shell/join-invitation.tsx";
import { WaitingFacts } from "./waiting-facts.tsx";

function markOf(run: RunView): StatusKind {
  if (run.state === "evaluating") return "running";
  if (run.state === "paused" || run.state === "queued") return "waiting";
  return run.currentRound?.phase === "recruiting" || run.currentRound === null ? "waiting" : "running";
}

/** Runs that are going: the small score, a sentence, the last figure. */
export function GoingRuns({
  runs,
  status,
}: {
  readonly runs: readonly RunView[];
  readonly status: Status | null;
}) {
  return (
    <ul>
      {runs.map((run) => (
        <li
          key={run.runId}
          className="grid grid-cols-[5.5rem_minmax(0,1fr)] items-center gap-x-7 gap-y-1 border-t border-rule py-4 first:border-ink md:grid-cols-[10.5rem_minmax(0,1fr)_11.5rem]"
        >
          <div>
            {run.state === "waiting" ? (
              <ScoreSmall round={waitingPlaces(run)} label={waitingSentence(run)} />
            ) : (
              run.currentRound && <ScoreSmall round={run.currentRound} />
            )}
          </div>
          <div>
            <h3>
              <Link href={`/runs/${run.runId}`} className="no-underline hover:underline">
                {runName(run)}
              </Link>
            </h3>
            <p className="mt-0.5 mb-1 font-serif text-read leading-snug text-pretty">{roundLine(run)}</p>
            {run.state === "waiting" ? (
              <WaitingFacts run={run} />
            ) : (
              <p className="note">
                <StatusMark kind={markOf(run)}>{runStatus(run)}</StatusMark>
              </p>
            )}
            <Notice run={run} />
          </div>
          <div className="col-start-2 md:col-start-3">
            <LastFigure run={run} />
          </div>
          {run.state === "waiting" && status !== null && (
            <div className="col-span-full mt-2 grid gap-3 md:col-start-2 md:col-end-4">
              <JoinInvitation status={status} task={run.task} />
              <p className="note">{waitingNote(run)}</p>
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

function Notice({ run }: { readonly run: RunView }) {
  const line = noticeLine(run);
  if (line === null) return null;
  return (
    <p className="note mt-1 flex items-baseline gap-x-2 wrap-anywhere">
      <StatusMark kind="alarm">{line}</StatusMark>
    </p>
  );
}

function LastFigure({ run }: { readonly run: RunView }) {
  const last = newestFigures(run);
  if (last === null)
    return <p className="note">{run.roundsCommitted === 0 ? "no rounds yet" : "not evaluated yet"}</p>;
  const accuracies = run.history.map(({ accuracy }) => accuracy);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-x-3">
      <SparkLine
        values={accuracies.map(({ value }) => value)}
        label={trendSentence("Accuracy", accuracies)}
      />
      <b className="font-semibold">{formatDecimal(last.accuracy.value)}</b>
      <p className="note col-span-2">accuracy ± {formatDecimal(last.accuracy.halfWidth95)}, held out</p>
    </div>
  );
}
