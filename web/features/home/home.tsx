"use client";
import { useLink, useWatch } from "../../data/live.tsx";
import { useRuns, useStatus, useTasks } from "../../data/queries.ts";
import { LiveRegion } from "../../ui/live-region.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { homeSentence, isOver } from "../../words/sentences.ts";
import { JoinInvitation } from "../shell/join-invitation.tsx";
import { OfflineNote } from "../shell/offline-note.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { EndedTable } from "./ended-table.tsx";
import { GoingRuns } from "./going-runs.tsx";
import { LaunchForm } from "./launch-form.tsx";
import { TaskTable } from "./task-table.tsx";

const WATCH_ALL = { all: true } as const;

/** The first page: what goes on, the tasks, what ended and how; beside it launching and joining. */
export function Home() {
  useWatch(WATCH_ALL);
  const runs = useRuns();
  const tasks = useTasks();
  const link = useLink();
  const { data: status } = useStatus();
  const sentence = runs.data === undefined ? "" : homeSentence(runs.data);
  const going = runs.data?.filter((run) => !isOver(run)) ?? [];
  const ended = runs.data?.filter(isOver) ?? [];
  return (
    <div className="grid items-start gap-x-16 pt-8 min-[72.0625rem]:grid-cols-[minmax(0,1fr)_23.5rem]">
      <div className="min-w-0">
        <div className="grid gap-3.5 pb-7">
          <h1>Runs</h1>
          <p className="lead min-h-[1.3em]">{sentence}</p>
          <LiveRegion text={sentence} />
          <OfflineNote link={link} />
        </div>
        <section aria-labelledby="now" className="pb-9">
          <h2 id="now" className="sr-only">
            Going on now
          </h2>
          <QueryGate query={runs} what="runs">
            {() => (going.length > 0 ? <GoingRuns runs={going} status={status ?? null} /> : null)}
          </QueryGate>
        </section>
        <section aria-labelledby="tasks" className="pt-6 pb-9">
          <h2 id="tasks" className="mb-3.5">
            Tasks
          </h2>
          <QueryGate query={tasks} what="tasks">
            {(items) =>
              items.length > 0 ? (
                <TaskTable tasks={items} />
              ) : (
                <EmptyNote>No tasks yet. The API takes them at /api/v1/tasks.</EmptyNote>
              )
            }
          </QueryGate>
        </section>
        {ended.length > 0 && (
          <section aria-labelledby="ended" className="pt-6 pb-9">
            <h2 id="ended" className="mb-3.5">
              Ended
            </h2>
            <EndedTable runs={ended} />
          </section>
        )}
      </div>
      <Aside />
    </div>
  );
}

/** Launching and joining. */
function Aside() {
  const tasks = useTasks();
  const runs = useRuns();
  const { data: status } = useStatus();
  const views = tasks.data ?? [];
  // A run that waits shows its invitation itself.
  const waiting = new Set(runs.data?.filter(({ state }) => state === "waiting").map(({ task }) => task));
  const others = views.filter(({ task }) => !waiting.has(task.slug));
  const joinable = others.find(({ activeRunId }) => activeRunId !== null) ?? others[0];
  return (
    <aside className="mb-8 grid max-w-[44rem] gap-10 border-t-2 border-ink pt-4">
      <section aria-labelledby="launch">
        <h2 id="launch">Launch a run</h2>
        <QueryGate query={tasks} what="tasks">
          {(items) => <LaunchForm tasks={items} runs={runs.data ?? []} />}
        </QueryGate>
      </section>
      {status !== undefined && joinable !== undefined && (
        <section aria-labelledby="join">
          <h2 id="join" className="mb-3">
            Bring a device
          </h2>
          <p className="note mb-3">For {joinable.task.slug}. Other tasks have their own join page.</p>
          <JoinInvitation status={status} task={joinable.task.slug} />
        </section>
      )}
    </aside>
  );
}
