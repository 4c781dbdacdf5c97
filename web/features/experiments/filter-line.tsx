"use client";
import { type FormEvent, useState } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import { useSession } from "../../data/access-queries.ts";
import { Button } from "../../ui/button.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { columnsNamed, type ExperimentColumn } from "../../words/experiment-columns.ts";
import { readyFilters } from "../../words/experiment-filters.ts";
import { SavedViews } from "./saved-views.tsx";

interface FilterLineProps {
  /** What is wrong with the filter; null if nothing is. */
  readonly wrong: string | null;
  readonly foundCount: number;
  readonly allCount: number;
  readonly columns: readonly ExperimentColumn[];
  readonly tasks: readonly TaskView[];
}

/** One line in MLflow's grammar, ready filters, saved views, and the choice of columns. */
export function FilterLine({ wrong, foundCount, allCount, columns, tasks }: FilterLineProps) {
  const [filter, setFilter] = useAddress("filter");
  const [, setPage] = useAddress("page");
  const [draft, setDraft] = useState<string | null>(null);
  const { data: session } = useSession();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    apply((draft ?? filter ?? "").trim());
  };
  const apply = (text: string) => {
    setFilter(text === "" ? null : text);
    setPage(null);
    setDraft(null);
  };
  return (
    <div className="grid gap-3 pb-5">
      <form onSubmit={submit} className="flex flex-wrap items-start gap-3" noValidate>
        <div className="min-w-64 flex-1">
          <TextInput
            id="filter"
            label="Filter"
            value={draft ?? filter ?? ""}
            onValue={setDraft}
            error={wrong}
            maxLength={2_000}
          />
        </div>
        <Button type="submit" kind="main" className="mt-6">
          Filter
        </Button>
      </form>
      <p className="flex flex-wrap items-baseline gap-x-5 gap-y-1 text-sm">
        <span role="status">
          {foundCount} of {allCount} runs.
        </span>
        {readyFilters(tasks, session?.name ?? null, allCount).map((one) => (
          <button
            key={one.label}
            type="button"
            className="link underline"
            aria-pressed={(filter ?? "") === one.filter}
            onClick={() => apply(one.filter)}
          >
            {one.label}
          </button>
        ))}
        <span className="note">
          Words as in MLflow: <code>metrics.accuracy &gt; 0.9 AND started &gt; '2026-06-14'</code>
        </span>
      </p>
      <div className="flex flex-wrap items-start gap-x-8 gap-y-2">
        <SavedViews />
        <Columns columns={columns} />
      </div>
    </div>
  );
}

function Columns({ columns }: { readonly columns: readonly ExperimentColumn[] }) {
  const [names, setNames] = useAddress("columns");
  const shown = columnsNamed(columns, names);
  const choose = (name: string, isOn: boolean) => {
    const chosen = columns.filter((one) => (one.name === name ? isOn : shown.includes(one)));
    setNames(chosen.map((one) => one.name).join(","));
  };
  const ofRuns = (start: string) => columns.filter(({ name }) => name.startsWith(start));
  const groups = [
    { title: "Columns", columns: columns.filter(({ name }) => !/^(params|metrics|tags)\./.test(name)) },
    { title: "Params", columns: ofRuns("params.") },
    { title: "Figures", columns: ofRuns("metrics.") },
    { title: "Tags", columns: ofRuns("tags.") },
  ];
  return (
    <details className="open:basis-full">
      <summary>
        Columns, {shown.length} of {columns.length}
      </summary>
      <div className="grid gap-4 pt-2">
        {groups
          .filter((group) => group.columns.length > 0)
          .map((group) => (
            <fieldset key={group.title}>
              <legend className="note">{group.title}</legend>
              <div className="grid grid-cols-2 gap-x-6 md:grid-cols-4 lg:grid-cols-6">
                {group.columns.map((column) => (
                  <label
                    key={column.name}
                    className="flex min-h-11 cursor-pointer items-center gap-3 text-sm"
                  >
                    <input
                      type="checkbox"
                      checked={shown.includes(column)}
                      onChange={(event) => choose(column.name, event.target.checked)}
                    />
                    <span className="min-w-0 break-words">{column.label}</span>
                  </label>
                ))}
              </div>
            </fieldset>
          ))}
      </div>
    </details>
  );
}
