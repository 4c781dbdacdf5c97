"use client";
import Link from "next/link";
import { type FormEvent, useId, useState } from "react";
import { tableToCsv } from "#shared/export/table/table-data.ts";
import { LEAF_KINDS } from "#shared/tlog/leaf-kinds.ts";
import { download } from "../../chart/export.ts";
import { type FoundEntry, type LogFilter, useLogEntries } from "../../data/log-entries.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { Field } from "../../ui/field.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { entryWords, VERDICT_WORDS } from "../../words/audit.ts";
import { formatCount, formatWhen } from "../../words/format.ts";
import { type EntryRow, entriesTable, foundWords, instantOf, placeWords } from "../../words/log-filter.ts";
import { QueryGate } from "../shell/query-gate.tsx";

interface LogSectionProps {
  /** What the entries are about if nobody has asked for anything else. */
  readonly about?: LogFilter;
}

const STEP = 50;

/** All entries of the log: search, filters in the address, each entry checked in this browser, export. */
export function LogSection({ about = {} }: LogSectionProps) {
  const [filter, apply] = useLogFilter(about);
  const [count, setCount] = useState(STEP);
  const entries = useLogEntries(filter, count);
  return (
    <Section id="log" title="The log" note="No names, addresses or figures of a single device, ever.">
      <FilterForm filter={filter} onApply={apply} />
      <QueryGate query={entries} what="entries" hold="min-h-80">
        {({ items, next }) => (
          <>
            <p className="note pb-2" role="status">
              {foundWords(items.length, next !== null)} Times are UTC.
            </p>
            {items.length > 0 && (
              <DataTable
                caption="Entries of the log, newest first"
                columns={COLUMNS}
                rows={items}
                rowKey={({ view }) => view.index}
                records
              />
            )}
            <p className="flex flex-wrap items-center gap-3 pt-4">
              {next !== null && (
                <Button onClick={() => setCount(items.length + STEP)} disabled={entries.isFetching}>
                  Show more
                </Button>
              )}
              <Button onClick={() => saveCsv(items)} disabled={items.length === 0}>
                CSV
              </Button>
              <Button onClick={() => saveJson(items)} disabled={items.length === 0}>
                JSON
              </Button>
              <span className="note">Files have the entries shown above.</span>
            </p>
          </>
        )}
      </QueryGate>
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

const saveCsv = (items: readonly FoundEntry[]) =>
  download("log-entries.csv", "text/csv", tableToCsv(entriesTable(items.map(rowOf))));

const saveJson = (items: readonly FoundEntry[]) => {
  const rows = items.map((found) => ({ ...rowOf(found), facts: found.entry?.body ?? null }));
  download("log-entries.json", "application/json", `${JSON.stringify(rows, null, 2)}\n`);
};
