"use client";
import { type ReactNode, useState } from "react";
import type { ImportReport, TableView } from "#client/index.ts";
import { csvColumns } from "#shared/data/csv-columns.ts";
import type { ColumnMapping, Mapping } from "#shared/data/match/mapping.ts";
import { mappingForTask, mappingOf, withColumn } from "#shared/data/match/mapping-of.ts";
import type { TableLook } from "#shared/data/read-csv.ts";
import { ENCODING_NAMES, ENCODINGS, type Encoding } from "#shared/data/table/encoding.ts";
import type { Features, ImageFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatCount, plural } from "../../words/format.ts";
import {
  accountWords,
  barWords,
  lookSentence,
  needsLook,
  rowsWords,
  tableLead,
} from "../../words/mapping.ts";
import { HeaderMapping } from "./header-mapping.tsx";
import { Picture } from "./pixel-canvas.tsx";
import { SetChoice } from "./set-choice.tsx";

/** A table before it is added: what was understood, what was done, what becomes of its rows. */
export function TableReview(props: {
  /** Its slug. */
  readonly task: string;
  readonly view: TableView;
  readonly features: Features;
  readonly said: Mapping | null;
  readonly busy: boolean;
  readonly onSay: (mapping: Mapping) => void;
  /** One of the tables of an archive was chosen. */
  readonly onSet: (set: string) => void;
  readonly onDownload: () => void;
  readonly onDownloadMapping: (mapping: Mapping) => void;
  readonly onAdd: (remember: Mapping | null) => void;
  readonly onLeave: () => void;
  /** Chooses another file. */
  readonly another: ReactNode;
}) {
  const { task, view, features, said, busy, onSay, onSet, onDownload, onAdd, onLeave, another } = props;
  const { look, report, refusal } = view;
  const [opened, setOpened] = useState(false);
  const [remembers, setRemembers] = useState(true);
  const asks = look?.columns.some(needsLook) ?? false;
  const isPlain = said === null && !asks && look?.columns.every(({ how }) => how === "same") !== false;
  const change = (column: ColumnMapping) => onSay(withColumn(said, column));
  const add = report !== null && look !== null && (
    <Button
      kind="main"
      disabled={busy}
      onClick={() => onAdd(remembers && !isPlain ? mappingOf(look, said) : null)}
    >
      {`${asks ? "Yes, add" : "Add"} ${plural(report.rowsTaken, "row")}`}
    </Button>
  );
  const leave = (
    <Button disabled={busy} onClick={onLeave}>
      Not now
    </Button>
  );
  const looked = lookSentence(view);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
      <div className="grid gap-1.5">
        <h3 className="font-serif text-lg font-normal">{tableLead(view)}</h3>
        {looked !== null && <p className="read">{looked}</p>}
      </div>
      {look?.isRemembered && (
        <p className="note">This file has the headers of an earlier one. It was read as you said then.</p>
      )}
      {refusal !== null && (
        <p role="alert" className="max-w-[62ch] border-l-2 border-stop pl-4">
          {refusal.sentence} Nothing was added.
        </p>
      )}
      <SetChoice refusal={refusal} busy={busy} onSet={onSet} />
      {look !== null && (asks || opened || said !== null) && (
        <HeaderMapping columns={csvColumns(features)} look={look} disabled={busy} onChange={change} />
      )}
      {look !== null && look.columns.length > 0 && !asks && !opened && said === null && (
        <p>
          <Button kind="quiet" onClick={() => setOpened(true)}>
            Look at how the columns were found
          </Button>
        </p>
      )}
      {report !== null && look !== null && (
        <>
          <Done report={report} look={look} said={said} busy={busy} onSay={onSay} />
          <FirstPictures view={view} features={features} />
          <Account report={report} busy={busy} onDownload={onDownload} />
        </>
      )}
      <div className="grid gap-4 border-t border-ink pt-4">
        {report !== null && look !== null && (
          <p className="font-serif text-lg">
            {plural(report.rowsTaken, "row")}, ready to be stored in this browser
          </p>
        )}
        {report !== null && look !== null && !isPlain && (
          <Remember
            remembers={remembers}
            onRemembers={setRemembers}
            onDownload={() => props.onDownloadMapping(mappingForTask(look, said, task))}
          />
        )}
        <p className="flex flex-wrap gap-3">
          <span className="contents max-md:hidden">{add}</span>
          {another}
          <span className={look === null ? "contents" : "contents max-md:hidden"}>{leave}</span>
        </p>
      </div>
      {look !== null && (
        <section
          aria-label="Add the rows"
          className="sticky bottom-0 z-20 -mx-[var(--space-gutter)] grid gap-2.5 border-t border-ink bg-paper px-[var(--space-gutter)] py-2.5 text-sm md:hidden [main:has(>[data-dock])_&]:bottom-16"
        >
          <p>{barWords(view)}</p>
          <p className={`grid gap-3 ${add === false ? "" : "grid-cols-[1fr_1.6fr]"}`}>
            {leave}
            {add}
          </p>
        </section>
      )}
    </div>
  );
}

function Remember(props: {
  readonly remembers: boolean;
  readonly onRemembers: (remembers: boolean) => void;
  readonly onDownload: () => void;
}) {
  const { remembers, onRemembers, onDownload } = props;
  return (
    <>
      <label className="grid max-w-[40rem] grid-cols-[1.75rem_minmax(0,1fr)] items-start">
        <input
          type="checkbox"
          className="mt-1"
          checked={remembers}
          onChange={({ target }) => onRemembers(target.checked)}
        />
        <span>
          Remember these choices in this browser
          <span className="note block">
            The next file with the same headers is read without asking. Only the headers and the words you
            matched are kept.
          </span>
        </span>
      </label>
      <p className="note">
        <Button kind="quiet" onClick={onDownload}>
          Download these choices
        </Button>{" "}
        An edge reads a file like this with them, by its option <code>--mapping</code>.
      </p>
    </>
  );
}

/** Everything that was done to read the file, each with its way back if there is one. */
function Done(props: {
  readonly report: ImportReport;
  readonly look: TableLook;
  readonly said: Mapping | null;
  readonly busy: boolean;
  readonly onSay: (mapping: Mapping) => void;
}) {
  const { report, look, said, busy, onSay } = props;
  const [letters, setLetters] = useState(false);
  if (report.notes.length === 0) return null;
  const asPoints = () => {
    const columns = look.columns.flatMap(({ name, place, decimal }): ColumnMapping[] =>
      decimal === "comma" && place !== null
        ? [{ column: name, from: look.header[place] ?? "", place: place + 1, decimal: "point" }]
        : [],
    );
    onSay(columns.reduce<Mapping>(withColumn, said ?? { columns: [] }));
  };
  return (
    <div>
      <h3 className="mb-2">What was done to read it</h3>
      <ul className="grid gap-1">
        {report.notes.map(({ kind, sentence }) => (
          <li
            key={sentence}
            className="flex flex-wrap items-baseline gap-x-4 border-b border-rule py-1.5 text-sm"
          >
            <span className="min-w-0 flex-1 basis-80">
              <StatusMark kind="noted">{sentence}</StatusMark>
            </span>
            {kind === "decimal-commas" && look.columns.some(({ decimal }) => decimal === "comma") && (
              <Button kind="quiet" disabled={busy} onClick={asPoints}>
                Commas mean something else
              </Button>
            )}
            {kind === "layout" && look.encoding !== "utf-8" && !letters && (
              <Button kind="quiet" onClick={() => setLetters(true)}>
                Look at the letters
              </Button>
            )}
          </li>
        ))}
      </ul>
      {letters && (
        <label className="mt-3 flex flex-wrap items-center gap-3 text-sm">
          <span>
            Read as {ENCODING_NAMES[look.encoding]}, the names are: {look.header.slice(0, 8).join(", ")}. If
            letters are wrong, try
          </span>
          <select
            className="min-h-11"
            value={look.encoding}
            disabled={busy}
            onChange={({ target }) => onSay({ columns: [], ...said, encoding: target.value as Encoding })}
          >
            {ENCODINGS.map((encoding) => (
              <option key={encoding} value={encoding}>
                {ENCODING_NAMES[encoding]}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

function Account(props: {
  readonly report: ImportReport;
  readonly busy: boolean;
  readonly onDownload: () => void;
}) {
  const { report, busy, onDownload } = props;
  const { rowsRead, rowsTaken, rowsLeftOut, reasons } = report;
  return (
    <figure>
      <div role="status">
        <h3>{accountWords(report)}</h3>
      </div>
      <div role="img" aria-label={`${accountWords(report)}.`} className="mt-2 flex h-3 gap-0.5">
        <span className="bg-you" style={{ width: `${(100 * rowsTaken) / rowsRead}%` }} />
        {rowsLeftOut > 0 && <span className="flex-1 border border-edge" />}
      </div>
      {rowsLeftOut > 0 && (
        <p aria-hidden="true" className="mt-1 flex justify-between gap-4 text-xs">
          <span className="text-you-text">{formatCount(rowsTaken)} taken</span>
          <span className="text-ink-3">{formatCount(rowsLeftOut)} left out</span>
        </p>
      )}
      {reasons.length > 0 && (
        <>
          <ul className="mt-3 grid max-w-[44rem] gap-1 text-sm">
            {reasons.slice(0, 20).map(({ sentence, count, rows }) => (
              <li
                key={sentence}
                className="grid gap-x-4 border-b border-rule py-1.5 md:grid-cols-[5rem_minmax(0,1fr)_auto]"
              >
                <span>{plural(count, "row")}</span>
                <span>{sentence}</span>
                <span className="text-ink-3">{rowsWords(rows, count)}</span>
              </li>
            ))}
          </ul>
          {reasons.length > 20 && (
            <p className="note">
              and {formatCount(reasons.length - 20)} more reasons, which the download names.
            </p>
          )}
          <p className="note mt-2">
            <Button kind="quiet" disabled={busy} onClick={onDownload}>
              Download the {formatCount(rowsLeftOut)} with the {rowsLeftOut === 1 ? "reason" : "reasons"}
            </Button>{" "}
            It stays on this device. Mend them in your own program, and choose the file again.
          </p>
        </>
      )}
    </figure>
  );
}

function FirstPictures({ view, features }: { readonly view: TableView; readonly features: Features }) {
  if (features.kind !== "image" || view.pictures.length === 0) return null;
  const { height, width, classes }: ImageFeatures = features;
  return (
    <ul className="flex flex-wrap gap-1.5" aria-label="First pictures of the file">
      {view.pictures.map(({ pixels, label }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a picture is its place in the file
        <li key={`${index}-${label}`} className="grid justify-items-center gap-0.5 text-xs text-ink-3">
          <Picture
            pixels={pixels}
            height={height}
            width={width}
            label={`picture of ${classes[label] ?? ""}`}
            className="h-10 w-10"
          />
          {classes[label]}
        </li>
      ))}
    </ul>
  );
}
