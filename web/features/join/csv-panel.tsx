"use client";
import { useState } from "react";
import type { Participant } from "#client/index.ts";
import type { Features, ImageFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatBytes, formatCount, plural } from "../../words/format.ts";
import type { ColumnCheck, CsvPreview } from "./csv-preview.ts";
import { FileButton } from "./file-button.tsx";
import { Picture } from "./pixel-canvas.tsx";

interface Chosen {
  readonly file: File;
  readonly complete: boolean;
  readonly preview: CsvPreview;
}

/** Choose a file, see its columns and first rows against what the task takes, then add it. */
export function CsvPanel(props: {
  readonly participant: Participant;
  readonly features: Features;
  readonly noun: { readonly one: string; readonly many: string };
  readonly onDone: () => void;
}) {
  const { participant, features, noun, onDone } = props;
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [state, setState] = useState<"idle" | "looking" | "adding">("idle");
  const look = async (file: File) => {
    setState("looking");
    const { PREVIEW_BYTE_COUNT, previewCsv } = await import("./csv-preview.ts");
    const complete = file.size <= PREVIEW_BYTE_COUNT;
    const head = await file.slice(0, PREVIEW_BYTE_COUNT).text();
    setChosen({ file, complete, preview: previewCsv(head, complete, features) });
    setState("idle");
  };
  const add = async (file: File) => {
    setState("adding");
    const added = await participant.addCsv(file);
    setState("idle");
    setChosen(null);
    // What was read or refused stands under the buttons of the part either way.
    if (added.ok) onDone();
  };
  return (
    <div className="grid max-w-3xl grid-cols-[minmax(0,1fr)] gap-4">
      <p className="note">
        {features.kind === "image"
          ? `A CSV file with the columns p0 to p${features.height * features.width - 1}, row by row of the picture, and label. One ${noun.one} a line.`
          : "A CSV file whose first line names the columns. Order does not matter; comma, semicolon or tab."}{" "}
        It is read in this browser and nowhere else.
      </p>
      <p className="flex flex-wrap gap-3">
        <FileButton
          accept=".csv,.tsv,.txt,text/csv,text/plain"
          disabled={state !== "idle"}
          onFiles={([file]) => file !== undefined && void look(file)}
        >
          {chosen === null ? "Choose a file" : "Choose another file"}
        </FileButton>
      </p>
      {chosen !== null && (
        <Preview
          chosen={chosen}
          features={features}
          adding={state === "adding"}
          onAdd={() => void add(chosen.file)}
          onCancel={() => setChosen(null)}
        />
      )}
    </div>
  );
}

const MARKS = {
  found: <StatusMark kind="done">found</StatusMark>,
  missing: <StatusMark kind="refused">missing</StatusMark>,
  extra: <StatusMark kind="refused">not taken</StatusMark>,
} as const;

function Preview(props: {
  readonly chosen: Chosen;
  readonly features: Features;
  readonly adding: boolean;
  readonly onAdd: () => void;
  readonly onCancel: () => void;
}) {
  const { chosen, features, adding, onAdd, onCancel } = props;
  const { file, preview, complete } = chosen;
  const { refusal, columns, pictures } = preview;
  const exampleCount = Math.max(0, ...columns.map((column) => column.examples.length));
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <h3>
        {file.name}, {formatBytes(file.size)}
      </h3>
      {refusal !== null && (
        <p role="alert" className="max-w-[62ch] border-l-2 border-stop pl-4">
          {refusal.sentence} Nothing was added.
        </p>
      )}
      <DataTable
        caption="Columns of the file"
        rowKey={(column) => column.name}
        rows={columns}
        columns={[
          { label: "Column", cell: (column) => <span className="mono">{column.name}</span> },
          { label: "State", cell: (column) => MARKS[column.state] },
          { label: "Wanted", cell: (column) => column.wants },
          ...(features.kind === "image"
            ? [{ label: "In the file", cell: (column: ColumnCheck) => column.examples.join(", ") }]
            : Array.from({ length: exampleCount }, (_, index) => ({
                label: `Row ${index + 1}`,
                cell: (column: ColumnCheck) => column.examples[index] ?? "",
              }))),
        ]}
      />
      {pictures.length > 0 && features.kind === "image" && (
        <FirstPictures pictures={pictures} features={features} />
      )}
      {refusal === null && (
        <>
          <p className="note max-w-[62ch]" role="status">
            {usableWords(preview, complete)} {preview.problems[0]?.sentence}
          </p>
          <p className="flex flex-wrap gap-3">
            <Button kind="main" disabled={adding} onClick={onAdd}>
              {adding ? "Reading the file" : "Add these rows"}
            </Button>
            <Button disabled={adding} onClick={onCancel}>
              Leave it
            </Button>
          </p>
        </>
      )}
    </div>
  );
}

function FirstPictures(props: {
  readonly pictures: CsvPreview["pictures"];
  readonly features: ImageFeatures;
}) {
  const { pictures, features } = props;
  return (
    <ul className="flex flex-wrap gap-1.5" aria-label="First pictures of the file">
      {pictures.map(({ pixels, label }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a picture is its place in the file
        <li key={`${index}-${label}`} className="grid justify-items-center gap-0.5 text-xs text-ink-3">
          <Picture
            pixels={pixels}
            height={features.height}
            width={features.width}
            label={`picture of ${features.classes[label] ?? ""}`}
            className="h-10 w-10"
          />
          {features.classes[label]}
        </li>
      ))}
    </ul>
  );
}

/** "397 rows can be used, 3 cannot." Of a file that is too long to read at once, only the first rows are known. */
function usableWords({ rowsGood, problems }: CsvPreview, complete: boolean): string {
  const bad = problems.length === 0 ? "" : `, ${formatCount(problems.length)} cannot`;
  return complete
    ? `${plural(rowsGood, "row")} can be used${bad}.`
    : `Of the first rows ${formatCount(rowsGood)} can be used${bad}; the whole file is read when you add it.`;
}
