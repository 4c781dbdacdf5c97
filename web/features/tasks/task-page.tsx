"use client";
import { useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { gatesWords } from "#shared/project/sentences.ts";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { taskDifference } from "#shared/task/difference.ts";
import { useSession } from "../../data/access-queries.ts";
import type { Listed } from "../../data/api.ts";
import { useWatch } from "../../data/live.tsx";
import { useMay } from "../../data/may.ts";
import { KEYS, useNewestTask, useRunsOf, useSettings, useStatus, useVersions } from "../../data/queries.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { type Definition, DefinitionList } from "../../ui/definition-list.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Section } from "../../ui/section.tsx";
import { ShowMore, useShownCount } from "../../ui/show-more.tsx";
import { LoadingNote } from "../../ui/states.tsx";
import { formatCount } from "../../words/format.ts";
import { joinUrl } from "../../words/opening.ts";
import {
  agreedOf,
  cardOf,
  judgedWords,
  publishedWords,
  stageWords,
  taskKind,
  taskLead,
  taskTitle,
} from "../../words/tasks.ts";
import { WitnessList } from "../audit/witness-list.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { ArchiveSection } from "./archive-section.tsx";
import { DifferenceList } from "./difference.tsx";
import { GatesForm } from "./gates-form.tsx";
import { HeldOutSection } from "./held-out-section.tsx";
import { JoiningSection } from "./joining-section.tsx";
import { ModelInUse } from "./model-in-use.tsx";
import { TaskHistory } from "./task-history.tsx";
import { TaskRuns } from "./task-runs.tsx";

const WATCH_ALL = { all: true } as const;
const NO_RUNS: Listed<RunView> = { items: [], next: null };
const VERSIONS_SHOWN = 12;

/** `/tasks/SLUG`: a task with its versions, its data, its runs and its settings. */
export function TaskPage({ slug }: { readonly slug: string }) {
  useWatch(WATCH_ALL);
  const task = useNewestTask(slug);
  // The first words say how its runs stand, or that there are none.
  const runs = useRunsOf(slug);
  return (
    <QueryGate query={task} what={`task ${slug}`} pageOf="task" waits={runs.isPending}>
      {(view) => <TaskOf view={view} />}
    </QueryGate>
  );
}

function TaskOf({ view }: { readonly view: TaskView }) {
  const { task, archived } = view;
  const may = useMay();
  const { data: status } = useStatus();
  const { items: runs, next } = useRunsOf(task.slug).data ?? NO_RUNS;
  const client = useQueryClient();
  const lead = taskLead(view, runs);
  const isOpen = archived == null;
  const mayCreate = may("tasks.create", view);
  const mayLaunch = isOpen && may("runs.launch", view);
  const me = useSession().data?.name ?? null;
  const setter = may("tasks.settings", view) ? me : null;
  const facts = [taskKind(task), stageWords(task), "no noise in this task", judgedWords(view)];
  const onChange = () => {
    void client.invalidateQueries({ queryKey: KEYS.newestTask(task.slug) });
    void client.invalidateQueries({ queryKey: ["history", task.slug] });
    void client.invalidateQueries({ queryKey: KEYS.tasks });
  };
  return (
    <>
      <div className="head">
        <p className="crumb">
          <Link href="/tasks">Tasks</Link>
        </p>
        <h1>{taskTitle(task)}</h1>
        <div className="flex flex-wrap gap-3">
          {isOpen && status !== undefined && (
            <CopyButton text={joinUrl(status, task.slug)} what="join link" />
          )}
          {mayLaunch && (
            <Link className="btn main" href={`/?task=${task.slug}#launch`}>
              Launch a run…
            </Link>
          )}
        </div>
        <div className="state">
          <p className="lead">{lead}</p>
          <LiveRegion text={lead} />
          <p className="line-facts">{facts.map((fact) => fact !== null && <span key={fact}>{fact}</span>)}</p>
        </div>
      </div>
      <Versions view={view} mayCreate={mayCreate} />
      <Section
        id="card"
        title="Data card"
        note="What the task says of itself. It never changes for this version."
      >
        <div className="cols2">
          {cardOf(task).map((definitions, at) => (
            <DefinitionList key={at === 0 ? "words" : "data"} definitions={definitions} />
          ))}
        </div>
      </Section>
      <HeldOutSection view={view} me={setter} onChange={onChange} />
      {isOpen && <JoiningSection view={view} me={setter} onChange={onChange} />}
      <TaskRuns runs={runs} next={next} view={view} mayLaunch={mayLaunch} />
      <ModelInUse view={view} runs={runs} />
      <SettingsAndRules view={view} mayCreate={mayCreate} />
      {setter !== null && <GatesForm view={view} me={setter} onChange={onChange} />}
      <TaskHistory slug={task.slug} />
      {setter !== null && <ArchiveSection view={view} onChange={onChange} />}
    </>
  );
}

function Versions({ view, mayCreate }: { readonly view: TaskView; readonly mayCreate: boolean }) {
  const { task, deviceCount } = view;
  const [count, onMore] = useShownCount("versions", VERSIONS_SHOWN);
  // One more, so that the last one shown is compared with the one before it.
  const { data, isFetching } = useVersions(task.slug, task.version, count + 1);
  const views = data?.items ?? [];
  const columns: readonly TableColumn<TaskView>[] = [
    {
      label: "Version",
      cell: (one) => (
        <>
          <b className="font-semibold">{one.task.version}</b>
          {one.task.version === task.version && view.archived == null ? ", open" : ""}
        </>
      ),
    },
    { label: "What it changed", cell: (one) => <Changed one={one} views={views} /> },
    {
      label: "Devices here",
      numeric: true,
      cell: (one) => (one.agreedCount === undefined ? "not known" : formatCount(one.agreedCount)),
    },
    { label: "Published", cell: (one) => <span className="text-ink-3">{publishedWords(one)}</span> },
    {
      label: "All of it",
      hiddenLabel: true,
      cell: (one) => (
        <a
          href={`/api/v1/tasks/${one.task.slug}/${one.task.version}`}
          aria-label={`All of version ${one.task.version}, as JSON`}
        >
          all of it
        </a>
      ),
    },
  ];
  return (
    <Section
      id="versions"
      title="Versions"
      note="A version never changes. The words say how it differs from the one before."
    >
      {data === undefined ? (
        <LoadingNote what={`versions of ${task.slug}`} />
      ) : (
        <ShowMore
          items={views}
          count={count}
          onMore={onMore}
          hasOlder={data.next !== null}
          isFetching={isFetching}
        >
          {(shown) => (
            <DataTable
              caption="Versions"
              columns={columns}
              rows={shown}
              rowKey={(one) => String(one.task.version)}
              records
            />
          )}
        </ShowMore>
      )}
      {mayCreate && (
        <div className="mt-4 flex flex-wrap items-center gap-4">
          <Link className="btn" href={`/tasks/new?from=${task.slug}`}>
            New version…
          </Link>
          <span className="note max-w-lg">
            {deviceCount > 0
              ? `Every device would be asked again, the ${deviceCount} that are here now too, and takes part in nothing until its owner agrees.`
              : "Every device would be asked again, and takes part in nothing until its owner agrees."}
          </span>
        </div>
      )}
    </Section>
  );
}

function Changed({ one, views }: { readonly one: TaskView; readonly views: readonly TaskView[] }) {
  const before = views.find(({ task }) => task.version < one.task.version);
  if (before !== undefined) return <DifferenceList sentences={taskDifference(before.task, one.task)} />;
  return one.task.version === 1 ? "The first." : "The first that is kept here.";
}

function SettingsAndRules({ view, mayCreate }: { readonly view: TaskView; readonly mayCreate: boolean }) {
  const { task, settings, heldOut, parameterCount } = view;
  const { data: stored } = useSettings(task.slug);
  const set: Definition[] = [
    { term: "Heading", text: settings?.invitation ?? task.invitation },
    {
      term: "Who may join",
      text: settings?.joining === "invitation" ? "by invitation" : "anyone with the address",
    },
    { term: "Held-out set", text: heldOut == null ? "none" : heldOut.hash.slice(0, 12) },
    // The place is held while they are fetched (V6).
    { term: "Gates", text: stored === undefined ? "…" : gatesWords(stored.settings.promotion) },
  ];
  return (
    <Section id="rules" title="Settings and rules" note="Two kinds of things, kept apart.">
      <div className="cols2">
        <div>
          <h3>Settings</h3>
          <p className="note mb-2">No device is asked, and each change is an entry in the log.</p>
          <DefinitionList definitions={set} />
        </div>
        <div>
          <h3>What a device agreed to</h3>
          <p className="note mb-2">
            Fixed in version {task.version}. Anything here changes only by a new version.
          </p>
          <DefinitionList definitions={agreedOf(task, parameterCount)} />
          {task.logWitnesses !== undefined && <WitnessList demand={task.logWitnesses} />}
          {mayCreate && (
            <p className="mt-4">
              <Link className="btn" href={`/tasks/new?from=${task.slug}`}>
                New version…
              </Link>
            </p>
          )}
        </div>
      </div>
    </Section>
  );
}
