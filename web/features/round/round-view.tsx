"use client";
import Link from "next/link";
import { useEffect } from "react";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { useLink, useWatch } from "../../data/live.tsx";
import { useRound, useRun, useTask } from "../../data/queries.ts";
import { Score } from "../../score/score.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { roundEnding } from "../../words/endings.ts";
import { formatSeconds, formatWhenUtc, plural } from "../../words/format.ts";
import { askedLastSentence, fewWarning, roundSentence, runName } from "../../words/sentences.ts";
import { CountsTable } from "../run/counts-table.tsx";
import { EventList } from "../run/event-list.tsx";
import { PhaseTimeline } from "../run/phase-timeline.tsx";
import { resultOf } from "../run/round-result.ts";
import { TrafficTable } from "../run/traffic-table.tsx";
import { OfflineNote } from "../shell/offline-note.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { Groups } from "./groups.tsx";
import { Proofs } from "./proofs.tsx";

const ANY_ROWS = { one: "row", many: "rows" };

/** One round: its phases, picture and counts, and what can be proved about it now. */
export function RoundPage({ roundId }: { readonly roundId: string }) {
  const round = useRound(roundId);
  // The first words depend on the task.
  const task = useTask(round.data?.task, round.data?.taskVersion);
  // The socket reports on runs; a round that has ended no longer changes.
  useWatch(round.data !== undefined && round.data.endedAt === null ? { runId: round.data.runId } : null);
  // Only a run knows who ended it.
  const isStopped = round.data?.code === "ABORTED_BY_OPERATOR";
  const run = useRun(isStopped ? round.data?.runId : undefined);
  const waits = task.isPending || (isStopped && run.isPending);
  return (
    <QueryGate query={round} what="the round" pageOf="round" waits={waits}>
      {(data) => <Loaded round={data} endedBy={run.data?.endedBy ?? null} />}
    </QueryGate>
  );
}

interface LoadedProps {
  readonly round: RoundDetail;
  /** Null if nobody did, or if it is not known. */
  readonly endedBy: string | null;
}

function Loaded({ round, endedBy }: LoadedProps) {
  const link = useLink();
  const { data: view } = useTask(round.task, round.taskVersion);
  const name = runName({ task: round.task, number: round.runNumber });
  const sentence = roundSentence(round, view?.task.exampleNoun ?? ANY_ROWS, endedBy);
  const few = fewWarning(round.joined);
  const askedLast = askedLastSentence(round);
  useEffect(() => {
    document.title = `Round ${round.round}, ${name}. Chorus`;
  }, [name, round.round]);
  return (
    <>
      <div className="grid gap-2 pt-7">
        <p className="crumb">
          <Link href="/">Runs</Link> / <Link href={`/runs/${round.runId}`}>{name}</Link>
        </p>
        <h1>Round {round.round}</h1>
        <div className="grid gap-2.5 pt-4">
          <p className="lead">{sentence}</p>
          <LiveRegion text={sentence} />
          <p className="flex flex-wrap gap-x-6 gap-y-1 text-sm text-ink-2">
            <State round={round} endedBy={endedBy} />
            <span>opened {formatWhenUtc(round.openedAt)}</span>
            <span>{formatSeconds(round.nowS)}</span>
            {round.attempt > 1 && <span>attempt {round.attempt}</span>}
            {round.shards !== undefined && (
              <span>
                {round.shards.count - round.shards.leftOut} of {plural(round.shards.count, "group")}
              </span>
            )}
          </p>
          {few !== null && <p className="text-sm text-ink-2">{few}</p>}
          {askedLast !== null && <p className="text-sm text-ink-2">{askedLast}</p>}
          <OfflineNote link={link} />
        </div>
      </div>
      <figure className="pt-7">
        <Score round={round} result={resultOf(round)} endedBy={endedBy} />
        <figcaption className="note mt-1 max-w-[44rem]">
          Each line is a place in the count, not a device. The table below has the same counts.
        </figcaption>
        <PhaseTimeline round={round} />
      </figure>
      <Section
        id="counts"
        title="Counts"
        note="What the picture is drawn from: how many, when. The coordinator publishes no list of devices."
        className="mt-10"
      >
        <div className="max-w-[44rem]">
          <CountsTable round={round} open />
        </div>
      </Section>
      <Groups round={round} />
      <Section
        id="proofs"
        title="Proofs"
        note="The fingerprints so far. Whoever has the bytes can compute them again."
      >
        <Proofs round={round} />
      </Section>
      <Section id="traffic" title="Traffic" note="Bytes per device in this round.">
        <TrafficTable
          none="Nothing is counted yet."
          traffic={round.traffic}
          vectorLength={view?.vectorLength ?? null}
        />
      </Section>
      <Section id="events" title="What happened" note="Times in UTC, newest first.">
        <EventList events={round.events} />
      </Section>
    </>
  );
}

function State({ round, endedBy }: LoadedProps) {
  const { mark, words } = roundEnding(round, endedBy);
  return <StatusMark kind={mark}>{words}</StatusMark>;
}
