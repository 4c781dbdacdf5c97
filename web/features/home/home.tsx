"use client";
import Link from "next/link";
import type { ComponentProps } from "react";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { useSession } from "../../data/access-queries.ts";
import { useLink, useWatch } from "../../data/live.tsx";
import { useMay } from "../../data/may.ts";
import { useLastRound, useOlderRuns, useRuns, useRunsById, useStatus, useTasks } from "../../data/queries.ts";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Section } from "../../ui/section.tsx";
import { ShowMore, useShownCount } from "../../ui/show-more.tsx";
import { useAnchor } from "../../ui/use-anchor.ts";
import { isOver } from "../../words/endings.ts";
import { homeSentence, lastEnded } from "../../words/sentences.ts";
import { newestVersion } from "../../words/waiting.ts";
import { OfflineNote } from "../shell/offline-note.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { EmptyHome } from "./empty-home.tsx";
import { EndedTable } from "./ended-table.tsx";
import { GoingRuns } from "./going-runs.tsx";
import { InUseTable } from "./in-use-table.tsx";
import { LastRun } from "./last-run.tsx";
import { LaunchForm } from "./launch-form.tsx";
import { TaskTable } from "./task-table.tsx";

const WATCH_ALL = { all: true } as const;

interface HomeProps {
  /** The task that the address asks to launch; null if it names none. */
  readonly asked: string | null;
}

/** The first page: what goes on beside launching; below, models in use, ended runs and tasks. */
export function Home({ asked }: HomeProps) {
  useWatch(WATCH_ALL);
  const runs = useRuns();
  const tasks = useTasks();
  const status = useStatus();
  const session = useSession();
  // If nothing goes on, the last round's picture stands there, and its height follows from the round.
  const last = runs.data === undefined ? null : restingOn(runs.data.items);
  const picture = useLastRound(last?.runId, last === null ? 0 : newestVersion(last));
  const isBare = last !== null && picture.isPending;
  const waits = tasks.isPending || status.isPending || session.isPending || isBare;
  return (
    <QueryGate query={runs} what="runs and tasks" waits={waits} hold="page-hold pt-8">
      {({ items, next }) => <Loaded runs={items} next={next} tasks={tasks.data ?? null} asked={asked} />}
    </QueryGate>
  );
}

interface LoadedProps extends HomeProps {
  readonly runs: readonly RunView[];
  /** Where the list of runs goes on; null if these are all. */
  readonly next: string | null;
  /** Null if they cannot be fetched. */
  readonly tasks: readonly TaskView[] | null;
}

function Loaded({ runs: newest, next, tasks, asked }: LoadedProps) {
  const { data: session } = useSession();
  const all = useTasks();
  const may = useMay();
  const launchable = tasks?.filter((view) => may("runs.launch", view)) ?? [];
  const mayCreate = session?.permissions.includes("tasks.create") ?? false;
  // A run that goes on may be older than those of the first answer.
  const unlisted = (tasks ?? []).flatMap(({ activeRunId }) =>
    activeRunId === null || newest.some(({ runId }) => runId === activeRunId) ? [] : [activeRunId],
  );
  const runs = [...newest, ...useRunsById(unlisted)];
  const isEmpty = runs.length === 0 && tasks !== null;
  return (
    <>
      <div className="home-top">
        <div className="min-w-0">
          <Head runs={runs} taskCount={tasks?.length ?? null} />
          {!isEmpty && (
            <section aria-labelledby="now" className="pb-8">
              <h2 id="now" className="sr-only">
                Going on now
              </h2>
              <Now runs={runs} />
            </section>
          )}
        </div>
        {launchable.length > 0 && (
          <Launch tasks={launchable} runs={runs} asked={asked} hasOlder={next !== null} />
        )}
      </div>
      {isEmpty && <EmptyHome tasks={tasks} mayCreate={mayCreate} mayLaunch={launchable.length > 0} />}
      {!isEmpty && tasks !== null && <InUse tasks={tasks} runs={runs} />}
      {!isEmpty && <Ended runs={newest} next={next} />}
      {tasks?.length !== 0 && (
        <Section id="tasks" title="Tasks" note="What is learnt, and from what people bring.">
          <QueryGate query={all} what="tasks">
            {(items) => <TaskTable tasks={items} />}
          </QueryGate>
          {mayCreate && (
            <p className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2">
              <Link className="btn" href="/tasks/new">
                New task…
              </Link>
              <span className="note">From a sample, read in this browser only.</span>
            </p>
          )}
        </Section>
      )}
    </>
  );
}

function Launch(props: ComponentProps<typeof LaunchForm>) {
  useAnchor("launch");
  return (
    <aside aria-labelledby="launch" className="home-launch">
      <h2 id="launch" tabIndex={-1}>
        Launch a run
      </h2>
      <LaunchForm {...props} />
    </aside>
  );
}

function Head({ runs, taskCount }: { readonly runs: readonly RunView[]; readonly taskCount: number | null }) {
  const link = useLink();
  const sentence = homeSentence(runs, taskCount);
  return (
    <div className="grid gap-3.5 pb-7">
      <h1>Runs</h1>
      <p className="lead">{sentence}</p>
      <LiveRegion text={sentence} />
      <OfflineNote link={link} />
    </div>
  );
}

/** The runs that go on; if none does, the last one's last round. */
function Now({ runs }: { readonly runs: readonly RunView[] }) {
  const { data: status } = useStatus();
  const going = runs.filter((run) => !isOver(run));
  const last = restingOn(runs);
  if (going.length > 0) return <GoingRuns runs={going} status={status ?? null} />;
  return last === null ? null : <LastRun run={last} />;
}

/** The run that ended last, if none goes on. */
function restingOn(runs: readonly RunView[]): RunView | null {
  return runs.every(isOver) ? lastEnded(runs) : null;
}

function InUse({ tasks, runs }: { readonly tasks: readonly TaskView[]; readonly runs: readonly RunView[] }) {
  return (
    <Section id="in-use" title="In use" note="What pages and devices predict with now.">
      <InUseTable tasks={tasks} runs={runs} />
    </Section>
  );
}

const ENDED_FIRST = 8;

function Ended({ runs, next }: { readonly runs: readonly RunView[]; readonly next: string | null }) {
  const [count, onMore] = useShownCount("ended", ENDED_FIRST);
  const known = runs.filter(isOver);
  const older = useOlderRuns(null, next, count - known.length);
  const items = [...known, ...(older.data?.items ?? []).filter(isOver)];
  const end = older.data === undefined ? next : older.data.next;
  if (items.length === 0 && end === null) return null;
  return (
    <Section id="ended" title="Ended" note="Newest first, with how it ended. Times are UTC.">
      <ShowMore
        items={items}
        count={count}
        onMore={onMore}
        hasOlder={end !== null}
        isFetching={older.isFetching}
      >
        {(shown) => <EndedTable runs={shown} />}
      </ShowMore>
    </Section>
  );
}
