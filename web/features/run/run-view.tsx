"use client";
import Link from "next/link";
import { useEffect } from "react";
import type { RoundView, RunView, Status, TaskView } from "#shared/protocol/api.ts";
import { STRATEGY_TITLES } from "#shared/strategy/index.ts";
import { targetOf } from "#shared/task/target.ts";
import { expectedEndS, medianTraffic } from "../../chart/run-figures.ts";
import { useSession } from "../../data/access-queries.ts";
import { useLink, useWatch } from "../../data/live.tsx";
import { useMay } from "../../data/may.ts";
import { useRun, useRunEvents, useRunRounds, useStatus, useTask } from "../../data/queries.ts";
import { Score } from "../../score/score.tsx";
import { ScoreSmall } from "../../score/score-small.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { isOver, markOf } from "../../words/endings.ts";
import { plural } from "../../words/format.ts";
import { candidateNote } from "../../words/models.ts";
import { coordinatorSees, runStateWords, scoreNote, trafficNote } from "../../words/run.ts";
import { classSharesOf } from "../../words/run-curve.ts";
import {
  askedLastSentence,
  fewWarning,
  newestAgainstBefore,
  runName,
  runSentence,
  runStatus,
} from "../../words/sentences.ts";
import {
  committedWords,
  waitingFacts,
  waitingNote,
  waitingPlaces,
  waitingSentence,
} from "../../words/waiting.ts";
import { JoinInvitation } from "../shell/join-invitation.tsx";
import { OfflineNote } from "../shell/offline-note.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { CountsTable } from "./counts-table.tsx";
import { Downloads } from "./downloads.tsx";
import { EventList } from "./event-list.tsx";
import { Learning } from "./learning.tsx";
import { PhaseTimeline } from "./phase-timeline.tsx";
import { resultOf } from "./round-result.ts";
import { RoundTable } from "./round-table.tsx";
import { Rules } from "./rules.tsx";
import { RunActions } from "./run-actions.tsx";
import { TrafficTable } from "./traffic-table.tsx";

const ANY_ROWS = { one: "row", many: "rows" };

/** One live run: sentence, actions, score, phases, learning, privacy, traffic, events, rules. */
export function RunPage({ runId }: { readonly runId: string }) {
  useWatch({ runId });
  const run = useRun(runId);
  // The first words depend on the task, the buttons on who reads, and the picture of a run that is over on its rounds.
  const task = useTask(run.data?.task, run.data?.taskVersion);
  const rounds = useRunRounds(run.data?.runId);
  const session = useSession();
  const waits = task.isPending || session.isPending || (rounds.isPending && run.data?.currentRound === null);
  return (
    <QueryGate query={run} what="the run" pageOf="run" waits={waits}>
      {(data) => <Loaded run={data} />}
    </QueryGate>
  );
}

function Loaded({ run }: { readonly run: RunView }) {
  const rounds = useRunRounds(run.runId);
  const { data: view = null } = useTask(run.task, run.taskVersion);
  const { data: status } = useStatus();
  const list = rounds.data ?? [];
  const round = run.currentRound ?? list.at(-1) ?? null;
  const over = isOver(run);
  return (
    <>
      <Head run={{ ...run, currentRound: over ? run.currentRound : round }} view={view} />
      {run.state === "waiting" ? (
        <Waits run={run} status={status ?? null} />
      ) : (
        round !== null && <Hero run={run} round={round} expected={expectedEndS(list)} />
      )}
      <Figures run={run} view={view} round={round} />
      <Section
        id="rounds"
        title="Rounds"
        note="Newest first. Each has a page with its counts and its proofs."
      >
        <QueryGate query={rounds} what="rounds">
          {(items) => <RoundTable run={run} rounds={items} />}
        </QueryGate>
      </Section>
      <Happened runId={run.runId} />
      {!over && run.state !== "waiting" && status !== undefined && (
        <BringDevice task={run.task} status={status} />
      )}
      <Section
        id="rules"
        title="Rules of this run"
        note="Every device checks these before it trains, and refuses a round that departs from what its owner agreed to."
      >
        <Rules run={run} view={view} />
      </Section>
    </>
  );
}

interface FiguresProps {
  readonly run: RunView;
  readonly view: TaskView | null;
  readonly round: RoundView | null;
}

/** How the model gets better, what could be learnt about a person, and what a device sends. */
function Figures({ run, view, round }: FiguresProps) {
  const rounds = useRunRounds(run.runId);
  const committed = (rounds.data ?? []).filter(({ phase }) => phase === "committed").length;
  return (
    <>
      <Section
        id="learning"
        title="Learning"
        note="Is the model getting better, and did enough take part? All share the same rounds."
        className="mt-10"
      >
        <QueryGate query={rounds} what="rounds" hold="page-hold">
          {(items) => (
            <Learning
              run={run}
              rounds={items}
              target={view === null ? null : targetOf(view.task.features)}
              shares={classSharesOf(run.history, view?.heldOut)}
              noun={view?.task.exampleNoun ?? ANY_ROWS}
            />
          )}
        </QueryGate>
      </Section>
      <Privacy view={view} round={round} />
      {view !== null && (run.newestVersion ?? 0) > 0 && (
        <Section id="model" title="Take the model with you" note={candidateNote(run, view.inUse ?? null)}>
          <Downloads run={run} features={view.task.features} />
        </Section>
      )}
      <Section id="traffic" title="Traffic" note={trafficNote(committed)}>
        <QueryGate query={rounds} what="rounds">
          {(items) => (
            <TrafficTable
              traffic={medianTraffic(items)}
              vectorLength={view?.vectorLength ?? null}
              none={
                isOver(run)
                  ? "No round was committed, so nothing is counted."
                  : "Counted from the first committed round on."
              }
            />
          )}
        </QueryGate>
      </Section>
    </>
  );
}

function Happened({ runId }: { readonly runId: string }) {
  const events = useRunEvents(runId);
  return (
    <Section id="events" title="What happened" note="Times in UTC, newest first.">
      <QueryGate query={events} what="what happened">
        {({ items, next }) => (
          <EventList events={items} next={next === null ? null : { runId, cursor: next }} linkRounds />
        )}
      </QueryGate>
    </Section>
  );
}

function BringDevice({ task, status }: { readonly task: string; readonly status: Status }) {
  return (
    <Section id="join" title="Bring a device" note={`It takes part in ${task} from the next round on.`}>
      <div className="max-w-[44rem]">
        <JoinInvitation status={status} task={task} />
      </div>
    </Section>
  );
}

/** Number of devices in a round: those that joined once recruiting is over, until then those that are wanted. */
function devicesOf(run: RunView, view: TaskView | null): number {
  const round = run.currentRound;
  if (round === null) return view?.task.aggregation.goal ?? Number.POSITIVE_INFINITY;
  return round.phase === "recruiting" ? Math.max(round.goal, round.joined) : round.joined;
}

function Head({ run, view }: { readonly run: RunView; readonly view: TaskView | null }) {
  const link = useLink();
  const may = useMay();
  const me = useSession().data?.name ?? "";
  const name = runName(run);
  const sentence = runSentence(run, view?.task.exampleNoun ?? ANY_ROWS);
  const few = fewWarning(devicesOf(run, view));
  const askedLast = askedLastSentence(run.currentRound);
  const against = newestAgainstBefore(run);
  useEffect(() => {
    document.title = `${name}: ${sentence.split(/[.:]/)[0] ?? ""}. Chorus`;
  }, [name, sentence]);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-end gap-x-8 gap-y-2 pt-7 md:grid-cols-[minmax(0,1fr)_auto]">
      <p className="crumb md:col-span-2">
        <Link href="/">Runs</Link> / {run.task}
      </p>
      <h1>{name}</h1>
      <div className="order-5 pt-3 md:order-none md:pt-0">
        {may("runs.act", view) && <RunActions run={run} link={link} me={me} />}
      </div>
      <div className="grid gap-2.5 pt-4 md:col-span-2">
        <p className="lead">{sentence}</p>
        <LiveRegion text={sentence} />
        {run.notice != null && (
          <p className="flex items-baseline gap-x-2 text-sm">
            <StatusMark kind="alarm">{run.notice.message}</StatusMark>
          </p>
        )}
        <p className="flex flex-wrap gap-x-6 gap-y-1 text-sm text-ink-2">
          <StatusMark kind={markOf(run)}>{runStateWords(run)}</StatusMark>
          {view !== null && !isOver(run) && <span>{plural(view.deviceCount, "device")} connected</span>}
          {run.state === "running" && <span>{committedWords(run)}</span>}
          <span>{STRATEGY_TITLES[run.strategy.kind]}</span>
          <span>no noise</span>
          {against !== null && <span>{against}</span>}
          {(run.state === "running" || run.state === "paused") && run.secondsLeft !== null && (
            <span>{runStatus(run).replace(/^.*?(about)/, "$1")}</span>
          )}
        </p>
        {few !== null && <p className="text-sm text-ink-2">{few}</p>}
        {askedLast !== null && <p className="text-sm text-ink-2">{askedLast}</p>}
        <OfflineNote link={link} />
      </div>
    </div>
  );
}

/** A waiting run has no round: shows who is here, who is missing, and how to join. */
function Waits({ run, status }: { readonly run: RunView; readonly status: Status | null }) {
  return (
    <section aria-label="Waiting for devices" className="grid gap-4 pt-7">
      <ScoreSmall round={waitingPlaces(run)} label={waitingSentence(run)} />
      <p className="note flex flex-wrap gap-x-6 gap-y-1">
        {waitingFacts(run)
          .slice(1)
          .map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
      </p>
      {status !== null && (
        <div className="max-w-[44rem]">
          <JoinInvitation status={status} task={run.task} />
        </div>
      )}
      <p className="read">{waitingNote(run)}</p>
    </section>
  );
}

function Hero(props: {
  readonly run: RunView;
  readonly round: RoundView;
  readonly expected: number | undefined;
}) {
  const { run, round, expected } = props;
  return (
    <figure className="pt-7">
      <Score round={round} result={resultOf(round)} endedBy={run.endedBy} expectedEndS={expected} />
      <figcaption className="mt-1 grid gap-x-8 gap-y-2 md:grid-cols-[minmax(0,44rem)_1fr]">
        <p className="note">{scoreNote(round)}</p>
        <p className="text-sm md:text-right">
          <Link href={`/rounds/${round.roundId}`}>Round {round.round}, its counts and its proofs</Link>
        </p>
        <CountsTable round={round} />
      </figcaption>
      <PhaseTimeline round={round} />
    </figure>
  );
}

function Privacy({ view, round }: { readonly view: TaskView | null; readonly round: RoundView | null }) {
  return (
    <Section
      id="privacy"
      title="Privacy"
      note="What could still be learnt about one person, and against whom."
    >
      <div className="cols2">
        <div>
          <h3 className="mb-1.5">Against the coordinator</h3>
          <p className="read">{coordinatorSees(view?.task ?? null, round)}</p>
        </div>
        <div>
          <h3 className="mb-1.5">Against anyone who gets the model</h3>
          <p className="read">
            This task adds no noise. A person is hidden by the others in the sum, not by mathematics: there is
            no ε to state, and nobody has bounded what a model gives away about one person&apos;s data.
          </p>
        </div>
      </div>
    </Section>
  );
}
