"use client";
import { memo, useState } from "react";
import type { ExampleView, ImportView, Participant, ParticipantView, TaskSlice } from "#client/index.ts";
import type { Features, ImageFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { capitalise, formatCount, plural } from "../../words/format.ts";
import { countedExamples } from "../../words/join.ts";
import { ClassBars, missingClasses } from "./class-bars.tsx";
import { CsvPanel } from "./csv-panel.tsx";
import { DrawPanel } from "./draw-panel.tsx";
import { Part } from "./part.tsx";
import { PicturesPanel } from "./pictures-panel.tsx";
import { Picture } from "./pixel-canvas.tsx";

type Panel = "draw" | "csv" | "pictures";
/** Pictures of up to this many squares a side can be drawn by hand. */
const DRAWABLE_SIDE_MAX = 32;
const SHOWN = 24;

/** Part 2: the person's own examples, stored in this browser and nowhere else. */
export const DataPart = memo(function DataPart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly data: ParticipantView["data"];
}) {
  const { participant, task, data } = props;
  const { features, exampleNoun } = task.task;
  const drawable = isDrawable(features);
  // With nothing here yet, the way that needs no file is open.
  const [panel, setPanel] = useState<Panel | null>(data.count > 0 ? null : drawable ? "draw" : "csv");
  const toggle = (next: Panel) => setPanel(panel === next ? null : next);
  const opener = (next: Panel, words: string) => (
    <Button aria-expanded={panel === next} onClick={() => toggle(next)}>
      {words}
    </Button>
  );
  return (
    <Part
      number={2}
      id="data"
      title="Your data"
      note={
        data.count === 0
          ? `Nothing is here yet. What you bring is stored in this browser and nowhere else.`
          : `${capitalise(countedExamples(data, task))}, stored in this browser and nowhere else.`
      }
    >
      <div className="grid grid-cols-[minmax(0,1fr)] gap-6 lg:grid-cols-[minmax(0,1fr)_13rem] lg:gap-11">
        <div className="min-w-0">
          {features.kind === "image" && (
            <Thumbs participant={participant} data={data} features={features} noun={exampleNoun} />
          )}
          {features.kind === "tabular" && data.count > 0 && (
            <p className="read">
              {capitalise(countedExamples(data, task))}; {formatCount(data.localCount)} of them are kept back
              to judge the model here.
            </p>
          )}
          <div className="mt-5 flex flex-wrap gap-3">
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
                  features={features}
                  noun={exampleNoun}
                  onDone={() => setPanel(null)}
                />
              )}
              {panel === "pictures" && features.kind === "image" && (
                <PicturesPanel participant={participant} features={features} onDone={() => setPanel(null)} />
              )}
            </div>
          )}
          {data.lastImport !== null && <LastImport view={data.lastImport} />}
        </div>
        {data.count > 0 && (
          <ClassFigure classes={features.classes} counts={data.countByClass} noun={exampleNoun.many} />
        )}
      </div>
    </Part>
  );
});

function ClassFigure(props: {
  readonly classes: Features["classes"];
  readonly counts: readonly number[];
  readonly noun: string;
}) {
  const { classes, counts, noun } = props;
  return (
    <figure>
      <figcaption className="note mb-1.5">
        {capitalise(noun)} of each class. {missingClasses(classes, counts)}
      </figcaption>
      <ClassBars classes={classes} counts={counts} noun={noun} />
    </figure>
  );
}

function isDrawable(features: Features): features is ImageFeatures {
  return features.kind === "image" && Math.max(features.height, features.width) <= DRAWABLE_SIDE_MAX;
}

function Thumbs(props: {
  readonly participant: Participant;
  readonly data: ParticipantView["data"];
  readonly features: ImageFeatures;
  readonly noun: { readonly one: string; readonly many: string };
}) {
  const { participant, data, features, noun } = props;
  const [removing, setRemoving] = useState(false);
  // Its height is held, so that the pad below stays under the pen while drawings arrive.
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
              onRemove={removing ? () => void participant.removeExample(example.id) : null}
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

/** What the last file gave: rows read, rows left out and why, or why it was refused. */
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
  // A drawing that was kept stands above; only what was left out of a file needs words.
  if (report === null || (report.rowsRead === 1 && report.rowsLeftOut === 0)) return null;
  const [first, second] = report.problems;
  return (
    <div className="note mt-4 max-w-[36rem]">
      {name}: {plural(report.rowsRead, "row")} read
      {report.rowsLeftOut > 0 && `, ${formatCount(report.rowsLeftOut)} left out`}. {first?.sentence}{" "}
      {second?.sentence}
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
