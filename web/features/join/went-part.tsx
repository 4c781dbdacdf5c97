"use client";
import { memo, useRef } from "react";
import type { ContributionSummary, OutcomeView, Participant, TaskSlice } from "#client/index.ts";
import type { RoundDetail, RoundView } from "#shared/protocol/api.ts";
import { coordinatorBase } from "../../data/coordinator.ts";
import { Score } from "../../score/score.tsx";
import { Button } from "../../ui/button.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import { StatusMark } from "../../ui/status-mark.tsx";
import { neededInSum, outcomeSentence, proofsOf, wentNote } from "../../words/contribution.ts";
import { headlineFigure } from "../../words/measures.ts";
import { missingFigures, roundModelTitle } from "../../words/waiting.ts";
import { ownLine } from "./own-line.ts";
import { Part } from "./part.tsx";
import { ReceiptOffer } from "./receipt-offer.tsx";
import { useOwnInput } from "./use-own-input.ts";
import { useEndedRecord } from "./use-round-record.ts";

/** Part 5: the outcome of this device's part in the newest round that has ended. */
export const WentPart = memo(function WentPart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly contributions: readonly ContributionSummary[];
  readonly logged: boolean | null;
}) {
  const newest = props.contributions.find(({ outcome }) => outcome !== null) ?? null;
  const { record, pending } = useEndedRecord(newest?.runId ?? null, newest?.round ?? null);
  // Keep showing the previous round as a whole until the coordinator has answered about the new one.
  const shown = useRef<Ended | null>(null);
  if (newest !== null && newest.outcome !== null && (!pending || shown.current === null)) {
    shown.current = { contribution: newest, outcome: newest.outcome, record: pending ? null : record };
  }
  if (newest === null || shown.current === null) {
    return (
      <Part number={5} id="went" title="Where it went">
        <p className="note">
          Nowhere yet. When your first round has ended, this part shows what became of yours.
        </p>
      </Part>
    );
  }
  const { participant, task, logged } = props;
  return <EndedRound participant={participant} task={task} logged={logged} ended={shown.current} />;
});

interface Ended {
  readonly contribution: ContributionSummary;
  readonly outcome: OutcomeView;
  readonly record: RoundDetail | null;
}

function EndedRound(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly logged: boolean | null;
  readonly ended: Ended;
}) {
  const { participant, task, logged, ended } = props;
  const { contribution, outcome, record } = ended;
  const line = record === null ? null : ownLine(record, contribution.stepsAt, outcome);
  const proofs = proofsOf(outcome, {
    needed: neededInSum(task.task, contribution.rosterSize),
    helped: contribution.stepsAt.opened !== undefined,
    logged,
    shown: useOwnInput(contribution, record),
  });
  return (
    <Part number={5} id="went" title="Where it went" note={wentNote(contribution.round, line !== null)}>
      <p className="read mb-4">{outcomeSentence(contribution, outcome, record, task.task)}</p>
      {record !== null && (
        <Score round={record} you={line === null ? null : { line, label: "you" }} result={resultOf(record)} />
      )}
      <ul className="mt-4">
        {proofs.map(({ kind, statement, evidence }) => (
          <li key={statement} className="border-t border-rule py-2">
            <StatusMark kind={kind}>
              {statement} <span className="text-ink-3">{evidence}</span>
            </StatusMark>
          </li>
        ))}
      </ul>
      <div className="mt-4 flex flex-wrap items-center gap-x-5 gap-y-2">
        {logged === true && outcome.kind === "committed" && (
          <ReceiptOffer participant={participant} slug={task.task.slug} contribution={contribution} />
        )}
        <Button kind="quiet" onClick={() => saveNotes(task, contribution, record)}>
          What this device noted (JSON)
        </Button>
        {record !== null && (
          <a
            className="link flex min-h-11 items-center"
            href={`${coordinatorBase()}/rounds/${record.roundId}`}
            target="_blank"
            rel="noopener"
          >
            See the whole round (new tab)
          </a>
        )}
      </div>
    </Part>
  );
}

function resultOf(record: RoundView) {
  if (record.phase !== "committed") return null;
  return {
    title: roundModelTitle(record),
    note: headlineFigure(record.measures) ?? missingFigures(record),
  };
}

/** To show to someone else: the round's ids, digests and outcome, without examples or updates. Nobody has signed it. */
function saveNotes(task: TaskSlice, contribution: ContributionSummary, record: RoundView | null): void {
  const { runId, round, attempt, sid, at, parts, rosterSize, outcome, sha256, root } = contribution;
  const notes = {
    format: "chorus-receipt/1",
    task: task.task.slug,
    taskVersion: task.task.version,
    taskHash: task.taskHash,
    runId,
    roundId: record?.roundId ?? null,
    round,
    attempt,
    sid,
    at: new Date(at).toISOString(),
    rosterSize,
    bytes: parts,
    maskedList: { sha256, root },
    outcome,
  };
  saveBlob(
    new Blob([`${JSON.stringify(notes, null, 2)}\n`], { type: "application/json" }),
    `chorus-${task.task.slug}-round-${round}-receipt.json`,
  );
}
