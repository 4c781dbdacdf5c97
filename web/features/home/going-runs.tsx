"use client";
import Link from "next/link";
import type { RunView, Status } from "#shared/protocol/api.ts";
import { headlineOf } from "#shared/task/measures/index.ts";
import { SparkLine } from "../../chart/spark-line.tsx";
import { Score } from "../../score/score.tsx";
import { ScoreSmall } from "../../score/score-small.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { markOf } from "../../words/endings.ts";
import { figureCell, figureWords, formatValue } from "../../words/measures.ts";
import { curveOf, newestFigures } from "../../words/run-curve.ts";
import {
  fewWarning,
  noticeLine,
  roundLine,
  runName,
  runStatus,
  trendSentence,
} from "../../words/sentences.ts";
import { noFigureWords, waitingNote, waitingPlaces, waitingSentence } from "../../words/waiting.ts";
import { resultOf } from "../run/round-result.ts";
import { JoinInvitation } from "../shell/join-invitation.tsx";
import { WaitingFacts } from "./waiting-facts.tsx";

interface GoingProps {
  readonly run: RunView;
  readonly status: Status | null;
}

/** Runs that are not over: the first that has a round in large, the others with the small score. */
export function GoingRuns({
  runs,
  status,
}: {
  readonly runs: readonly RunView[];
  readonly status: Status | null;
}) {
  const large = runs.find(
    (run) => run.state !== "waiting" && run.state !== "queued" && run.currentRound !== null,
  );
  const others = runs.filter((run) => run !== large);
  return (
    <>
      {large !== undefined && <LargeRun run={large} />}
      <ul>
        {others.map((run) => (
          <SmallRun key={run.runId} run={run} status={status} />
        ))}
      </ul>
    </>
  );
}

function RunTitle({ run }: { readonly run: RunView }) {
  return (
    <h3>
      <Link href={`/runs/${run.runId}`} className="no-underline hover:underline">
        {runName(run)}
      </Link>
    </h3>
  );
}

function LargeRun({ run }: { readonly run: RunView }) {
  const round = run.currentRound;
  const last = newestFigures(run);
  const few =
    round === null ? null : fewWarning(Math.max(round.joined, round.phase === "recruiting" ? round.goal : 0));
  return (
    <article className="grid grid-cols-[minmax(0,1fr)] gap-4 border-t border-ink pt-5 pb-6">
      <div>
        <RunTitle run={run} />
        <p className="home-line mt-0.5 mb-1 font-serif text-read leading-snug text-pretty">
          {roundLine(run)}
        </p>
        <p className="flex flex-wrap gap-x-6 gap-y-1 text-sm text-ink-2">
          <StatusMark kind={markOf(run)}>{runStatus(run)}</StatusMark>
          {last !== null && (
            <span>
              <b className="font-semibold text-sum">{figureCell(last.measures)}</b>, {curveOf(run).on}
            </span>
          )}
          {few !== null && <span>{few}</span>}
        </p>
        <Notice run={run} />
      </div>
      {round !== null && <Score round={round} result={resultOf(round)} endedBy={run.endedBy} />}
    </article>
  );
}

function SmallRun({ run, status }: GoingProps) {
  return (
    <li className="grid grid-cols-[5.5rem_minmax(0,1fr)] items-center gap-x-7 gap-y-1 border-t border-rule py-4 first:border-rule md:grid-cols-[10.5rem_minmax(0,1fr)_11.5rem]">
      <div>
        {run.state === "waiting" ? (
          <ScoreSmall round={waitingPlaces(run)} label={waitingSentence(run)} />
        ) : (
          run.currentRound && <ScoreSmall round={run.currentRound} />
        )}
      </div>
      <div>
        <RunTitle run={run} />
        <p className="mt-0.5 mb-1 font-serif text-read leading-snug text-pretty">{roundLine(run)}</p>
        {run.state === "waiting" && <WaitingFacts run={run} />}
        {/* Of the others the line above says as much. */}
        {markOf(run) === "running" && (
          <p className="note">
            <StatusMark kind="running">{runStatus(run)}</StatusMark>
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
  if (last === null) return <p className="note">{noFigureWords(run)}</p>;
  const { points, on } = curveOf(run);
  const figures = points.flatMap(({ measures }) => headlineOf(measures)?.measure ?? []);
  const newest = headlineOf(last.measures);
  if (newest === null) return null;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-x-3">
      <SparkLine
        values={figures.map(({ value }) => value)}
        label={trendSentence(newest.spec.label, figures)}
      />
      <b className="font-semibold">{formatValue(newest.measure.value, newest.spec.unit)}</b>
      <p className="note col-span-2">{`${figureWords(newest)}, ${on}`}</p>
    </div>
  );
}
