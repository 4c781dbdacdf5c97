"use client";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { useSession } from "../../data/access-queries.ts";
import { useLink, useWatch } from "../../data/live.tsx";
import { useMay } from "../../data/may.ts";
import { useOlderRuns, useRuns, useStatus, useTasks } from "../../data/queries.ts";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Section } from "../../ui/section.tsx";
import { ShowMore, useShownCount } from "../../ui/show-more.tsx";
import { homeSentence, isOver } from "../../words/sentences.ts";
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

/** The first page: what goes on beside launching; below, models in use, ended runs and tasks. */
export function Home() {
  useWatch(WATCH_ALL);
  const runs = useRuns();
  const tasks = useTasks();
  const status = useStatus();
  const session = useSession();
  const waits = tasks.isPending || status.isPending || session.isPending;
  return (
    <QueryGate query={runs} what="runs and tasks" waits={waits} hold="page-hold">
      {({ items, next }) => <Loaded runs={items} next={next} tasks={tasks.data ?? null} />}
    </QueryGate>
  );
}

interface LoadedProps {
  readonly runs: readonly RunView[];
  /** Where the list of runs goes on; null if these are all. */
  readonly next: string | null;
  /** Null if they cannot be fetched. */
  readonly tasks: readonly TaskView[] | null;
}

function Loaded({ runs, next, tasks }: LoadedProps) {
  const all = useTasks();
  const may = useMay();
  const launchable = tasks?.filter((view) => may("runs.launch", view)) ?? [];
  const [first] = launchable;
  const isEmpty = runs.length === 0 && tasks !== null;
  return (
    <>
      <div className="home-top">
        <div className="min-w-0">
          <Head runs={runs} />
          {!isEmpty && (
            <section aria-labelledby="now" className="pb-8">
              <h2 id="now" className="sr-only">
                Going on now
              </h2>
              <Now runs={runs} />
            </section>
          )}
        </div>
        {first !== undefined && (
          <aside aria-labelledby="launch" className="home-launch">
            <h2 id="launch" tabIndex={-1}>
              Launch a run
            </h2>
            <LaunchForm tasks={launchable} first={first} runs={runs} hasOlder={next !== null} />
          </aside>
        )}
      </div>
      {isEmpty && <EmptyHome tasks={tasks} mayLaunch={first !== undefined} />}
      {!isEmpty && tasks !== null && <InUse tasks={tasks} runs={runs} />}
      {!isEmpty && <Ended runs={runs} next={next} />}
      {tasks?.length !== 0 && (
        <Section id="tasks" title="Tasks" note="What is learnt, and from what people bring.">
          <QueryGate query={all} what="tasks">
            {(items) => <TaskTable tasks={items} />}
          </QueryGate>
        </Section>
      )}
    </>
  );
}

function Head({ runs }: { readonly runs: readonly RunView[] }) {
  const link = useLink();
  const sentence = homeSentence(runs);
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
  const last = runs.filter(isOver).toSorted((a, b) => (b.endedAt ?? "").localeCompare(a.endedAt ?? ""))[0];
  if (going.length > 0) return <GoingRuns runs={going} status={status ?? null} />;
  return last === undefined ? null : <LastRun run={last} />;
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
  const older = useOlderRuns(next, count - known.length);
  const items = [...known, ...(older.data?.items ?? [])];
  const end = older.data === undefined ? next : older.data.next;
  if (items.length === 0) return null;
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
