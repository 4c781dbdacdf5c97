"use client";
import Link from "next/link";
import { memo, useRef } from "react";
import type { ContributionSummary, OutcomeView, TaskSlice } from "#client/index.ts";
import type { RoundDetail, RoundView } from "#shared/protocol/api.ts";
import { Score } from "../../score/score.tsx";
import { Button } from "../../ui/button.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { neededInSum, outcomeSentence, proofsOf } from "../../words/contribution.ts";
import { formatMeasure } from "../../words/format.ts";
import { missingFigures } from "../../words/waiting.ts";
import { ownLine } from "./own-line.ts";
import { Part } from "./part.tsx";
import { saveBlob } from "./save-blob.ts";
import { useOwnInput } from "./use-own-input.ts";
import { useEndedRecord } from "./use-round-record.ts";

/** Part 5: what became of one's part in the newest round that has ended. */
export const WentPart = memo(function WentPart(props: {
  readonly task: TaskSlice;
  readonly contributions: readonly ContributionSummary[];
  readonly logged: boolean | null;
}) {
  const newest = props.contributions.find(({ outcome }) => outcome !== null) ?? null;
  const { record, pending } = useEndedRecord(newest?.runId ?? null, newest?.round ?? null);
  // Until the coordinator has answered about a new round the one before stays, whole.
  const shown = useRef<Ended | null>(null);
  if (newest !== null && newest.outcome !== null && (!pending || shown.current === null)) {
    shown.current = { contribution: newest, outcome: newest.outcome, record: pending ? null : record };
  }
  if (newest === null || shown.current === null) {
    return (
      <Part number={5} id="went" title="Where it went">
        <p className="note">
          Nowhere yet. What became of your part stands here when your first round has ended.
        </p>
      </Part>
    );
  }
  return <EndedRound task={props.task} logged={props.logged} ended={shown.current} />;
});

interface Ended {
  readonly contribution: ContributionSummary;
  readonly outcome: OutcomeView;
  readonly record: RoundDetail | null;
}

function EndedRound(props: {
  readonly task: TaskSlice;
  readonly logged: boolean | null;
  readonly ended: Ended;
}) {
  const { task, logged, ended } = props;
  const { contribution, outcome, record } = ended;
  const line = record === null ? null : ownLine(record, contribution.stepsAt, outcome);
  const proofs = proofsOf(outcome, {
    needed: neededInSum(task.task, contribution.rosterSize),
    helped: contribution.stepsAt.opened !== undefined,
    logged,
    shown: useOwnInput(contribution, record),
  });
  return (
    <Part
      number={5}
      id="went"
      title="Where it went"
      note={`Round ${contribution.round}.${line === null ? "" : " The coloured line is you. Only this page knows which line that is; everyone else sees all lines alike."}`}
    >
      <p className="read mb-4">{outcomeSentence(contribution, outcome, record, task.task)}</p>
      {record !== null && (
        <Score
          round={record}
          you={line === null ? null : { line, label: "you" }}
          result={resultOf(contribution, record)}
        />
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
        <Button onClick={() => saveReceipt(task, contribution, record)}>Download the receipt</Button>
        {record !== null && (
          <Link
            className="link flex min-h-11 items-center"
            href={`/rounds/${record.roundId}`}
            target="_blank"
            prefetch={false}
          >
            See the whole round (new tab)
          </Link>
        )}
      </div>
    </Part>
  );
}

function resultOf(contribution: ContributionSummary, record: RoundView) {
  if (record.phase !== "committed") return null;
  return {
    title: `version ${contribution.round}`,
    note: record.accuracy === null ? missingFigures(record) : formatMeasure(record.accuracy),
  };
}

/** What one can show to someone else: names of the round, digests and the outcome; no example and no update. */
function saveReceipt(task: TaskSlice, contribution: ContributionSummary, record: RoundView | null): void {
  const { runId, round, attempt, sid, at, parts, rosterSize, outcome, sha256, root } = contribution;
  const receipt = {
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
    new Blob([`${JSON.stringify(receipt, null, 2)}\n`], { type: "application/json" }),
    `chorus-${task.task.slug}-round-${round}-receipt.json`,
  );
}
