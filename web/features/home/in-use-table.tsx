"use client";
import Link from "next/link";
import { useState } from "react";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { useNewestModel, versionFileUrl } from "../../data/models.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { isOver } from "../../words/endings.ts";
import { formatWhen } from "../../words/format.ts";
import { figureCell } from "../../words/measures.ts";
import { candidateWords, figuresInUse, inUseWords } from "../../words/models.ts";
import { runName } from "../../words/sentences.ts";
import { FileList } from "../run/file-list.tsx";

interface Row {
  readonly view: TaskView;
  /** The run that the model in use is from; null if it is none of the newest runs. */
  readonly run: RunView | null;
}

/** Which task's files are shown under its row; null: none. */
interface Files {
  readonly shown: string | null;
  readonly show: (slug: string | null) => void;
}

const columnsOf = (files: Files): readonly TableColumn<Row>[] => [
  {
    label: "Task",
    cell: ({ view: { task } }) => (
      <Link href={`/tasks/${task.slug}`} className="font-semibold">
        {task.slug}
      </Link>
    ),
  },
  { label: "Model in use", cell: (row) => <ModelInUse {...row} /> },
  {
    label: "Figure",
    numeric: true,
    cell: ({ view }) => {
      const measures = figuresInUse(view);
      return measures === null ? "none" : <span className="text-sum">{figureCell(measures)}</span>;
    },
  },
  { label: "Since", cell: (row) => sinceOf(row) },
  { label: "Newest candidate", cell: ({ view }) => <Candidate view={view} /> },
  {
    label: "Links",
    hiddenLabel: true,
    cell: ({ view: { task, inUse } }) =>
      inUse == null ? null : (
        <span className="flex flex-wrap items-baseline gap-x-5">
          <Link href={`/models/${task.slug}#gates`} aria-label={`Gates of ${task.slug}`}>
            Gates
          </Link>
          <a href={`/join/${task.slug}`} aria-label={`Try the model of ${task.slug}`}>
            Try it
          </a>
          <FilesButton slug={task.slug} files={files} />
        </span>
      ),
  },
];

/** The newest version, which a run may still be making. */
function Candidate({ view: { task, inUse } }: Pick<Row, "view">) {
  const { data } = useNewestModel(task.slug);
  return data == null ? "" : candidateWords(data, inUse ?? null);
}

function FilesButton({ slug, files }: { readonly slug: string; readonly files: Files }) {
  const isOpen = files.shown === slug;
  return (
    <button
      type="button"
      className="link underline"
      aria-expanded={isOpen}
      aria-label={`Files of the model of ${slug}`}
      onClick={() => files.show(isOpen ? null : slug)}
    >
      Files
    </button>
  );
}

/** The model in every format, as on its page. */
function FilesUnder({ view: { task, inUse } }: Row) {
  if (inUse == null) return null;
  const { version, runNumber: number, round: newestVersion } = inUse;
  return (
    <div className="grid gap-3 py-2">
      <FileList
        model={{ task: task.slug, number, newestVersion }}
        version={version}
        urlOf={(format) => versionFileUrl(task.slug, version, format)}
        int8={null}
      />
      <p>
        <Link href={`/models/${task.slug}#take`}>Lines of Python and JavaScript that use it</Link>
      </p>
    </div>
  );
}

function ModelInUse({ view }: Row) {
  const { inUse, task } = view;
  if (inUse == null || inUse.alias === null) return inUseWords(view);
  return (
    <>
      version {inUse.version},{" "}
      <Link href={`/runs/${inUse.runId}`} aria-label={runName({ task: task.slug, number: inUse.runNumber })}>
        run {inUse.runNumber}
      </Link>
    </>
  );
}

function sinceOf({ view: { inUse }, run }: Row): string {
  if (inUse == null || run === null) return "";
  if (!isOver(run)) return "its newest round";
  return run.endedAt === null ? "" : formatWhen(run.endedAt);
}

/** The model of each task with which pages and devices predict. */
export function InUseTable({
  tasks,
  runs,
}: {
  readonly tasks: readonly TaskView[];
  readonly runs: readonly RunView[];
}) {
  const [shown, show] = useState<string | null>(null);
  const rows = tasks.map(
    (view): Row => ({
      view,
      run: runs.find(({ runId }) => runId === view.inUse?.runId) ?? null,
    }),
  );
  return (
    <DataTable
      caption="Models in use"
      columns={columnsOf({ shown, show })}
      rows={rows}
      under={(row) => (row.view.task.slug === shown ? <FilesUnder {...row} /> : null)}
      rowKey={({ view: { task } }) => `${task.slug} ${task.version}`}
      records
    />
  );
}
