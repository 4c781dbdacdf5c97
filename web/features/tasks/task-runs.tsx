"use client";
import Link from "next/link";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { markOf } from "../../words/endings.ts";
import { formatDay, formatWhenUtc } from "../../words/format.ts";
import { runStatus } from "../../words/sentences.ts";
import { runFigureWords } from "../../words/task-runs.ts";

interface TaskRunsProps {
  readonly runs: readonly RunView[];
  readonly view: TaskView;
  readonly mayLaunch: boolean;
}

/** Runs of a task, newest first. Figures on another held-out set are grey. */
export function TaskRuns({ runs, view, mayLaunch }: TaskRunsProps) {
  const columns: readonly TableColumn<RunView>[] = [
    {
      label: "Run",
      cell: (run) => (
        <>
          <Link href={`/runs/${run.runId}`} className="font-semibold">
            run {run.number}
          </Link>
          , version {run.taskVersion}
        </>
      ),
    },
    {
      label: "How it stands",
      cell: (run) => <StatusMark kind={markOf(run)}>{runStatus(run)}</StatusMark>,
    },
    {
      label: "Rounds committed",
      numeric: true,
      cell: (run) => `${run.roundsCommitted} of ${run.roundsPlanned}`,
    },
    {
      label: "Newest figure",
      numeric: true,
      cell: (run) => {
        const { words, isOther } = runFigureWords(run, view);
        return <span className={isOther ? "text-ink-3" : undefined}>{words}</span>;
      },
    },
    {
      label: "When",
      cell: ({ endedAt, createdAt }) => (
        <span className="text-ink-3">
          {endedAt === null ? `since ${formatWhenUtc(createdAt)}` : formatDay(endedAt)}
        </span>
      ),
    },
  ];
  return (
    <Section id="runs" title="Runs" note="Newest first. One goes at a time; others wait.">
      {runs.length === 0 ? (
        <EmptyNote>No runs yet.</EmptyNote>
      ) : (
        <DataTable
          caption="Runs of this task"
          columns={columns}
          rows={runs}
          rowKey={({ runId }) => runId}
          records
        />
      )}
      {mayLaunch && (
        <p className="mt-4">
          <Link className="btn" href={`/?task=${view.task.slug}#launch`}>
            Launch a run…
          </Link>
        </p>
      )}
    </Section>
  );
}
