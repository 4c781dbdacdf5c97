"use client";
import Link from "next/link";
import type { TaskView } from "#shared/protocol/api.ts";
import { useSession } from "../../data/access-queries.ts";
import { useWatch } from "../../data/live.tsx";
import { useMay } from "../../data/may.ts";
import { useModels } from "../../data/models.ts";
import { useNewestTask } from "../../data/queries.ts";
import { LiveRegion } from "../../ui/live-region.tsx";
import { modelLead } from "../../words/models.ts";
import { judgedWords, taskKind, taskTitle } from "../../words/tasks.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { CompareSection } from "./compare-section.tsx";
import { FiguresSection } from "./figures-section.tsx";
import { GatesSection } from "./gates-section.tsx";
import { LineageSection } from "./lineage-section.tsx";
import { TakeSection } from "./take-section.tsx";
import { VersionsSection } from "./versions-section.tsx";

const WATCH_ALL = { all: true } as const;
/** Versions that the page looks at: those of about a dozen runs. */
const LOOKED_AT = 200;

/** `/models/SLUG`: the models that a task's rounds have made, and which of them is in use. */
export function ModelPage({ slug }: { readonly slug: string }) {
  useWatch(WATCH_ALL);
  const task = useNewestTask(slug);
  const models = useModels(slug, LOOKED_AT);
  return (
    <QueryGate query={task} what={`models of ${slug}`} pageOf="model" waits={models.isPending}>
      {(view) => <ModelsOf view={view} />}
    </QueryGate>
  );
}

function ModelsOf({ view }: { readonly view: TaskView }) {
  const { task, inUse } = view;
  const { data } = useModels(task.slug, LOOKED_AT);
  const models = data?.items ?? [];
  const may = useMay();
  const me = useSession().data?.name ?? null;
  const candidate = models.find(({ isCandidate }) => isCandidate) ?? null;
  const lead = modelLead(view, candidate);
  return (
    <>
      <div className="head">
        <p className="crumb">
          <Link href="/models">Models</Link>
        </p>
        <h1>{taskTitle(task)}</h1>
        <div className="flex flex-wrap gap-3">
          <Link className="btn" href={`/tasks/${task.slug}`}>
            Its task
          </Link>
          {inUse != null && (
            <a className="btn" href={`/join/${task.slug}`}>
              Try it
            </a>
          )}
        </div>
        <div className="state">
          <p className="lead">{lead}</p>
          <LiveRegion text={lead} />
          <p className="line-facts">
            <span>{task.learns}</span>
            <span>{taskKind(task)}</span>
            <span>no noise in this task</span>
            <span>{judgedWords(view)}</span>
          </p>
        </div>
      </div>
      <VersionsSection
        view={view}
        models={models}
        hasOlder={data?.next != null}
        actor={may("models.name", view) ? me : null}
      />
      <GatesSection view={view} models={models} candidate={candidate} />
      <CompareSection view={view} models={models} />
      <FiguresSection view={view} models={models} />
      <LineageSection view={view} models={models} />
      <TakeSection view={view} />
    </>
  );
}
