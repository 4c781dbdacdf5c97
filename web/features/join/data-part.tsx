"use client";
import { memo, useRef, useState } from "react";
import type {
  ExampleView,
  ImportView,
  Participant,
  ParticipantView,
  Stage,
  TaskSlice,
} from "#client/index.ts";
import type { Features, ImageFeatures } from "#shared/task/features.ts";
import { type Target, targetOf } from "#shared/task/target.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { groupNames, groupNote } from "../../words/classes.ts";
import { dataNote, heldBackSentence, importSentence } from "../../words/data.ts";
import { formatCount, plural } from "../../words/format.ts";
import { StartHere } from "./actions.tsx";
import { ClassBars } from "./class-bars.tsx";
import { CsvPanel } from "./csv-panel.tsx";
import { DrawPanel, isDrawable } from "./draw-panel.tsx";
import { Part } from "./part.tsx";
import { PicturesPanel } from "./pictures-panel.tsx";
import { Picture } from "./pixel-canvas.tsx";
import { useCall } from "./use-call.ts";

type Panel = "draw" | "csv" | "pictures";
const SHOWN = 24;

/** Part 2: the person's own examples, stored only in this browser. */
export const DataPart = memo(function DataPart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly data: ParticipantView["data"];
  readonly reading: ParticipantView["reading"];
  readonly stage: Stage;
}) {
  const { participant, task, data, reading, stage } = props;
  const { features, exampleNoun } = task.task;
  const drawable = isDrawable(features);
  // Without data, open the panel that needs no file.
  const [panel, setPanel] = useState<Panel | null>(data.count > 0 ? null : firstPanel(features));
  const toggle = (next: Panel) => setPanel(panel === next ? null : next);
  const openers = useRef<HTMLDivElement>(null);
  // What was pressed disappears with its panel, so the focus goes back to what opened it.
  const close = () => {
    openers.current
      ?.querySelector<HTMLButtonElement>('[aria-expanded="true"]')
      ?.focus({ preventScroll: true });
    setPanel(null);
  };
  const opener = (next: Panel, words: string) => (
    <Button aria-expanded={panel === next} onClick={() => toggle(next)}>
      {words}
    </Button>
  );
  return (
    <Part number={2} id="data" title="Your data" note={dataNote(data, task)}>
      <div
        className={`grid grid-cols-[minmax(0,1fr)] gap-6 ${data.count > 0 ? "lg:grid-cols-[minmax(0,1fr)_13rem] lg:gap-11" : ""}`}
      >
        <div className="min-w-0">
          {features.kind === "image" && (
            <Thumbs participant={participant} data={data} features={features} noun={exampleNoun} />
          )}
          {features.kind !== "image" && data.count > 0 && (
            <p className="read">{heldBackSentence(data, task)}</p>
          )}
          <div ref={openers} className="mt-5 flex flex-wrap gap-3">
            {drawable && opener("draw", data.count === 0 ? "Draw one" : "Draw one more")}
            {opener("csv", "Add a CSV file")}
            {features.kind === "image" && opener("pictures", "Add picture files")}
          </div>
          {panel !== null && (
            <div className="mt-5 border-t border-rule pt-5">
              {panel === "draw" && features.kind === "image" && (
                <DrawPanel participant={participant} features={features} noun={exampleNoun} />
              )}
              {panel === "csv" && (
                <CsvPanel
                  participant={participant}
                  task={task.task.slug}
                  features={features}
                  noun={exampleNoun}
                  onDone={close}
                />
              )}
              {panel === "pictures" && features.kind === "image" && (
                <PicturesPanel
                  participant={participant}
                  features={features}
                  reading={reading}
                  onDone={close}
                />
              )}
            </div>
          )}
          {data.lastImport !== null && <LastImport view={data.lastImport} />}
          <StartHere
            participant={participant}
            stage={stage}
            takesDevice={task.archivedAt === null}
            many={exampleNoun.many}
          />
        </div>
        {data.count > 0 && (
          <ClassFigure target={targetOf(features)} counts={data.countByGroup} noun={exampleNoun.many} />
        )}
      </div>
    </Part>
  );
});

function firstPanel(features: Features): Panel {
  if (features.kind !== "image") return "csv";
  return isDrawable(features) ? "draw" : "pictures";
}

function ClassFigure(props: {
  readonly target: Target;
  readonly counts: readonly number[];
  readonly noun: string;
}) {
  const { target, counts, noun } = props;
  return (
    <figure>
      <figcaption className="note mb-1.5">{groupNote(target, counts, noun)}</figcaption>
      <ClassBars classes={groupNames(target)} counts={counts} noun={noun} />
    </figure>
  );
}

function Thumbs(props: {
  readonly participant: Participant;
  readonly data: ParticipantView["data"];
  readonly features: ImageFeatures;
  readonly noun: { readonly one: string; readonly many: string };
}) {
  const { participant, data, features, noun } = props;
  const [removing, setRemoving] = useState(false);
  const { problem, call } = useCall();
  // A fixed height keeps the pad below under the pen while drawings arrive.
  const height = "min-h-[13.5rem] md:min-h-[10.5rem]";
  if (data.count === 0) {
    return (
      <div className={height}>
        <EmptyNote>No {noun.many} yet. Ten or so are a good start; more are better.</EmptyNote>
      </div>
    );
  }
  const shown = data.examples.slice(removing ? 0 : -SHOWN);
  const more = data.count - shown.length;
  return (
    <div className={height}>
      <ul className="flex flex-wrap gap-1.5">
        {shown.map((example) => (
          <li key={example.id}>
            <Thumb
              example={example}
              features={features}
              onRemove={removing ? () => void call(() => participant.removeExample(example.id)) : null}
            />
          </li>
        ))}
        {more > 0 && <li className="self-center pl-2 text-sm text-ink-3">and {formatCount(more)} more</li>}
      </ul>
      <Button
        kind="quiet"
        className="-ml-1 text-sm"
        aria-pressed={removing}
        onClick={() => setRemoving(!removing)}
      >
        {removing ? "Done removing" : `Remove a ${noun.one}`}
      </Button>
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
    </div>
  );
}

const Thumb = memo(function Thumb(props: {
  readonly example: ExampleView;
  readonly features: ImageFeatures;
  readonly onRemove: (() => void) | null;
}) {
  const { example, features, onRemove } = props;
  const name = features.classes[example.label] ?? "";
  const picture =
    example.pixels === null ? null : (
      <Picture
        pixels={example.pixels}
        height={features.height}
        width={features.width}
        label={`a ${name}`}
        className="h-[35px] w-[35px] md:h-10 md:w-10"
      />
    );
  const content = (
    <>
      {picture}
      <span className="max-w-11 truncate">{name}</span>
    </>
  );
  const layout = "grid justify-items-center gap-0.5 text-xs text-ink-3";
  if (onRemove === null) return <div className={layout}>{content}</div>;
  return (
    <button
      type="button"
      aria-label={`Remove this ${name}`}
      onClick={onRemove}
      className={`${layout} min-h-14 min-w-11 cursor-pointer rounded-sm border border-stop p-0.5 text-stop`}
    >
      {content}
    </button>
  );
});

/** The result of the last file: rows read, rows left out and why, or why it was refused. */
function LastImport({ view }: { readonly view: ImportView }) {
  const { name, report, refusal } = view;
  if (refusal !== null) {
    return (
      <div role="alert" className="mt-4 max-w-[62ch] border-l-2 border-stop pl-4 text-sm">
        {name}: {refusal.sentence} Nothing was added.
        <Problems problems={refusal.problems} from={1} />
      </div>
    );
  }
  // A kept drawing is shown above; only rows left out of a file need words.
  if (report === null || (report.rowsRead === 1 && report.rowsLeftOut === 0)) return null;
  return (
    <div className="note mt-4 max-w-[36rem]">
      {importSentence(name, report)}
      <Problems problems={report.problems} from={2} />
    </div>
  );
}

function Problems(props: {
  readonly problems: readonly { readonly sentence: string }[];
  readonly from: number;
}) {
  const rest = props.problems.slice(props.from);
  if (rest.length === 0) return null;
  return (
    <details>
      <summary className="link flex min-h-11 w-fit items-center">
        {plural(rest.length, "more row", "more rows")}
      </summary>
      <ul className="grid gap-1">
        {rest.map(({ sentence }) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}
