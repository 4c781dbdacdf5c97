"use client";
import Link from "next/link";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { useOlderRuns } from "../../data/queries.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { ShowMore, useShownCount } from "../../ui/show-more.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { markOf } from "../../words/endings.ts";
import { formatDay, formatWhenUtc } from "../../words/format.ts";
import { runStatus } from "../../words/sentences.ts";
import { runFigureWords } from "../../words/task-runs.ts";
import { LastScore } from "../shell/last-score.tsx";

interface TaskRunsProps {
  readonly runs: readonly RunView[];
  /** Where the list goes on; null if these are all. */
  readonly next: string | null;
  readonly view: TaskView;
  readonly mayLaunch: boolean;
}

const SHOWN_FIRST = 12;

/** Runs of a task, newest first. Figures on another held-out set are grey. */
export function TaskRuns({ runs: newest, next, view, mayLaunch }: TaskRunsProps) {
  const [count, onMore] = useShownCount("runs", SHOWN_FIRST);
  const older = useOlderRuns(view.task.slug, next, count - newest.length);
  const runs = [...newest, ...(older.data?.items ?? [])];
  const end = older.data === undefined ? next : older.data.next;
  const columns: readonly TableColumn<RunView>[] = [
    { label: "Last round", hiddenLabel: true, wideOnly: true, cell: (run) => <LastScore run={run} /> },
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
        <EmptyNote>{view.archived == null ? "No runs yet." : "No run was launched."}</EmptyNote>
      ) : (
        <ShowMore
          items={runs}
          count={count}
          onMore={onMore}
          hasOlder={end !== null}
          isFetching={older.isFetching}
        >
          {(shown) => (
            <div className="with-score">
              <DataTable
                caption="Runs of this task"
                columns={columns}
                rows={shown}
                rowKey={({ runId }) => runId}
                records
              />
            </div>
          )}
        </ShowMore>
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
