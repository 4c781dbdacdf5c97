"use client";
import Link from "next/link";
import { type FormEvent, useId, useState } from "react";
import { tableToCsv } from "#shared/export/table/table-data.ts";
import { LEAF_KINDS } from "#shared/tlog/leaf-kinds.ts";
import { useLogSearch } from "../../data/log-entries.ts";
import type { FoundEntry, LogFilter } from "../../data/log-messages.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { Field } from "../../ui/field.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { entryWords, VERDICT_WORDS } from "../../words/audit.ts";
import { formatCount, formatWhen } from "../../words/format.ts";
import { type EntryRow, entriesTable, instantOf, placeWords, searchWords } from "../../words/log-filter.ts";
import { FailureNote } from "../shell/query-gate.tsx";

interface LogSectionProps {
  /** What the entries are about if nobody has asked for anything else. */
  readonly about?: LogFilter;
}

const STEP = 50;

/** All entries of the log: search, filters in the address, each entry checked in this browser, export. */
export function LogSection({ about = {} }: LogSectionProps) {
  const [filter, apply] = useLogFilter(about);
  const [count, setCount] = useState(STEP);
  const { search, view } = useLogSearch(filter, count);
  const [isSaving, setSaving] = useState(false);
  const { items, state, lookedAt, size, error } = view;
  const shown = items.slice(0, count);
  const save = async (write: (found: readonly FoundEntry[]) => Promise<void>) => {
    setSaving(true);
    const { state: end, items: all } = await search.find(Number.POSITIVE_INFINITY);
    if (end === "ended") await write(all);
    setSaving(false);
  };
  const isLooking = state === "searching";
  const more = () => setCount(count + STEP);
  return (
    <Section id="log" title="The log" note="No names, addresses or figures of a single device, ever.">
      <FilterForm
        filter={filter}
        onApply={(next) => {
          setCount(STEP);
          apply(next);
        }}
      />
      <div className="min-h-80">
        <p className="note flex flex-wrap items-baseline gap-x-3 pb-2">
          <span role="status">
            {`${searchWords({ state, found: items.length, lookedAt, size })} Times are UTC.`}
            {isSaving && " The file is written once the search has ended."}
          </span>
          {isLooking && (
            <button type="button" className="link underline" onClick={() => search.stop()}>
              Stop
            </button>
          )}
          {state === "stopped" && (
            <button type="button" className="link underline" onClick={() => void search.find(count)}>
              Go on
            </button>
          )}
        </p>
        {error !== null && <FailureNote error={error} onRetry={() => void search.find(count)} />}
        {shown.length > 0 && (
          <DataTable
            caption="Entries of the log, newest first"
            columns={COLUMNS}
            rows={shown}
            rowKey={({ view: { index } }) => index}
            records
          />
        )}
        <p className="flex flex-wrap items-center gap-3 pt-4">
          {(items.length > count || state === "paused") && <Button onClick={more}>Show more</Button>}
          <Button onClick={() => void save(saveCsv)} disabled={isSaving}>
            CSV
          </Button>
          <Button onClick={() => void save(saveJson)} disabled={isSaving}>
            JSON
          </Button>
          <span className="note">Files have every entry that fits.</span>
        </p>
      </div>
    </Section>
  );
}

const NAMES = ["text", "kind", "run", "round", "model", "actor", "from", "to"] as const;
type FilterName = (typeof NAMES)[number];

/** The filter stands in the address, so that a link shows the same entries. */
function useLogFilter(about: LogFilter): readonly [LogFilter, (next: LogFilter) => void] {
  const [said, write] = useAddress("log");
  const parsed = said === null ? about : Object.fromEntries(new URLSearchParams(said));
  const filter = Object.fromEntries(
    NAMES.flatMap((name) =>
      typeof parsed[name] === "string" && parsed[name] !== "" ? [[name, parsed[name]]] : [],
    ),
  );
  return [filter, (next) => write(new URLSearchParams({ ...next }).toString())];
}

interface FilterFormProps {
  readonly filter: LogFilter;
  readonly onApply: (filter: LogFilter) => void;
}

function FilterForm({ filter, onApply }: FilterFormProps) {
  const [draft, setDraft] = useState<LogFilter>({});
  const id = useId();
  const value = (name: FilterName) =>
    draft[name] ?? (name === "from" || name === "to" ? typedOf(filter[name]) : (filter[name] ?? ""));
  const set = (name: FilterName) => (text: string) => setDraft({ ...draft, [name]: text });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const next: Record<string, string> = {};
    for (const name of NAMES) {
      const text = value(name).trim();
      const kept = name === "from" || name === "to" ? instantOf(text) : text;
      if (kept !== null && kept !== "") next[name] = kept;
    }
    onApply(next);
    setDraft({});
  };
  return (
    <search>
      <form onSubmit={submit} className="audit-filters" noValidate>
        <TextInput
          id={`${id}text`}
          label="Search"
          value={value("text")}
          onValue={set("text")}
          maxLength={200}
          placeholder="task, fingerprint, any word"
        />
        <Field label="Kind" htmlFor={`${id}kind`}>
          <select
            id={`${id}kind`}
            value={value("kind")}
            onChange={(event) => set("kind")(event.target.value)}
          >
            <option value="">all kinds</option>
            {Object.keys(LEAF_KINDS).map((kind) => (
              <option key={kind} value={kind}>
                {kind}
              </option>
            ))}
          </select>
        </Field>
        <TextInput
          id={`${id}actor`}
          label="Who"
          value={value("actor")}
          onValue={set("actor")}
          maxLength={80}
          placeholder="anyone"
        />
        <TextInput
          id={`${id}run`}
          label="Run"
          value={value("run")}
          onValue={set("run")}
          maxLength={32}
          placeholder="its 32 digits"
        />
        <TextInput
          id={`${id}round`}
          label="Round"
          value={value("round")}
          onValue={set("round")}
          maxLength={32}
          placeholder="its 32 digits"
        />
        <TextInput
          id={`${id}model`}
          label="Model"
          value={value("model")}
          onValue={set("model")}
          maxLength={64}
          placeholder="its 64 digits"
        />
        <TextInput
          id={`${id}from`}
          label="From, UTC"
          type="datetime-local"
          value={value("from")}
          onValue={set("from")}
        />
        <TextInput
          id={`${id}to`}
          label="To, UTC"
          type="datetime-local"
          value={value("to")}
          onValue={set("to")}
        />
        <div className="flex items-end gap-3">
          <Button type="submit" kind="main">
            Search
          </Button>
          <Button kind="quiet" onClick={() => onApply({})}>
            All entries
          </Button>
        </div>
      </form>
    </search>
  );
}

/** An instant as the input for a time writes it. */
const typedOf = (instant: string | undefined): string => instant?.slice(0, 16) ?? "";

const CHECKS = {
  checked: VERDICT_WORDS.checked,
  waiting: VERDICT_WORDS.waiting,
  contradicted: VERDICT_WORDS.contradicted,
} as const;

const COLUMNS: readonly TableColumn<FoundEntry>[] = [
  { label: "Entry", numeric: true, cell: ({ view }) => formatCount(view.index) },
  {
    label: "When",
    cell: ({ view }) => (view.at === null ? "not kept" : formatWhen(new Date(view.at).toISOString())),
  },
  { label: "What", cell: (found) => <What found={found} /> },
  { label: "Kind", cell: ({ view }) => <code className="text-ink-3">{view.kind}</code> },
  { label: "Who", cell: ({ view }) => view.actor ?? "" },
  {
    label: "Proof",
    hiddenLabel: true,
    cell: ({ check }) => (
      <StatusMark kind={CHECKS[check].mark}>{CHECKS[check].name.toLowerCase()}</StatusMark>
    ),
  },
];

function What({ found: { view, entry } }: { readonly found: FoundEntry }) {
  const { place } = view;
  const words = wordsOf({ view, entry });
  const about = placeWords(place);
  return (
    <>
      {place?.roundId == null ? words : <Link href={`/audit/rounds/${place.roundId}`}>{words}</Link>}
      {about !== "" && <span className="text-ink-3"> {about}</span>}
    </>
  );
}

function wordsOf({ view, entry }: Pick<FoundEntry, "view" | "entry">): string {
  const { round = null } = view.place ?? {};
  return entry === null ? `An entry of the kind ${view.kind}` : entryWords(entry, round);
}

function rowOf({ view, entry, check }: FoundEntry): EntryRow {
  return {
    index: view.index,
    at: view.at === null ? "" : new Date(view.at).toISOString(),
    kind: view.kind,
    what: wordsOf({ view, entry }),
    about: placeWords(view.place),
    who: view.actor ?? "",
    check: CHECKS[check].name.toLowerCase(),
  };
}

/** Entries of a file that are written without a pause. */
const WRITE_STEP = 200;

/** Writes a file piece by piece, so that the page stays free. */
async function saveInPieces(
  name: string,
  type: string,
  items: readonly FoundEntry[],
  write: (some: readonly FoundEntry[], at: number) => string,
  end = "",
): Promise<void> {
  const pieces: string[] = [];
  for (let at = 0; at === 0 || at < items.length; at += WRITE_STEP) {
    pieces.push(write(items.slice(at, at + WRITE_STEP), at));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  saveBlob(new Blob([...pieces, end], { type }), name);
}

const saveCsv = (items: readonly FoundEntry[]) =>
  saveInPieces("log-entries.csv", "text/csv", items, (some, at) => {
    const text = tableToCsv(entriesTable(some.map(rowOf)));
    return at === 0 ? text : text.slice(text.indexOf("\n") + 1);
  });

const saveJson = (items: readonly FoundEntry[]) =>
  saveInPieces(
    "log-entries.json",
    "application/json",
    items,
    (some, at) =>
      some
        .map((found, index) => {
          const row = { ...rowOf(found), facts: found.entry?.body ?? null };
          return `${at + index === 0 ? "[" : ","}\n${JSON.stringify(row)}`;
        })
        .join(""),
    items.length === 0 ? "[]\n" : "\n]\n",
  );
