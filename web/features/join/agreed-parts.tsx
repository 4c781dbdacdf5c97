"use client";
import type { Participant, ParticipantView } from "#client/index.ts";
import { Score } from "../../score/score.tsx";
import { ownScoreNote } from "../../words/contribution.ts";
import { ContradictionPart } from "./contradiction-part.tsx";
import { DataPart } from "./data-part.tsx";
import { LeftPart } from "./left-part.tsx";
import { ownLine } from "./own-line.ts";
import { TrainingPart } from "./training-part.tsx";
import { UsePart } from "./use-part.tsx";
import { hasEnded, useLiveRecord } from "./use-round-record.ts";
import { WentPart } from "./went-part.tsx";

/* What the page shows only after the person has agreed. It is fetched then: drawing, files, pictures, charts, hashes. */

interface AgreedPartsProps {
  readonly participant: Participant;
  readonly view: ParticipantView;
  /** True if the coordinator keeps a public log; null until known. */
  readonly logged: boolean | null;
}

export { OwnRecords } from "./own-records.tsx";

/** Parts 2 to 6. */
export default function AgreedParts({ participant, view, logged }: AgreedPartsProps) {
  const { task, round, contributions } = view;
  return (
    <>
      {view.contradiction !== null && (
        <ContradictionPart participant={participant} file={view.contradiction} />
      )}
      <DataPart
        participant={participant}
        task={task}
        data={view.data}
        reading={view.reading}
        stage={view.stage}
      />
      <TrainingPart
        participant={participant}
        engine={view.engine}
        round={round}
        last={contributions[0] ?? null}
        budget={view.budget}
        many={task.task.exampleNoun.many}
        features={task.task.features}
      />
      <LeftPart participant={participant} task={task} latest={view.latest} contributions={contributions} />
      <WentPart participant={participant} task={task} contributions={contributions} logged={logged} />
      <UsePart participant={participant} task={task} model={view.model} />
    </>
  );
}

/** The round that this device is in or was last in. It stays until the next one, so that nothing below it moves. */
export function OwnScore({ view }: { readonly view: ParticipantView }) {
  const { round } = view;
  const { record } = useLiveRecord(round);
  if (record === null) return null;
  const line = round?.round === record.round ? ownLine(record, round.stepsAt, round.outcome) : null;
  return (
    <figure className="min-w-0 max-w-[26rem]">
      <Score round={record} you={line === null ? null : { line, label: "you" }} />
      <figcaption className="note">{ownScoreNote(record.round, hasEnded(record))}</figcaption>
    </figure>
  );
}
