"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useCallback, useEffect, useRef, useState } from "react";
import type { OwnSession } from "#shared/protocol/access-api.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import type { Draft } from "#shared/sample/draft.ts";
import { draftOfTask } from "#shared/sample/draft-of-task.ts";
import type { DraftProblem } from "#shared/sample/draft-problem.ts";
import { rebased } from "#shared/sample/rebase.ts";
import type { Task } from "#shared/task/task.ts";
import { ApiFailure, createTask, getTask } from "../../data/api.ts";
import { type KeptDraft, listDrafts } from "../../data/drafts.ts";
import { useLink } from "../../data/live.tsx";
import { projectsWhere, useMay } from "../../data/may.ts";
import { KEYS, useStatus } from "../../data/queries.ts";
import { keptStorage } from "../../data/storage.ts";
import { Button } from "../../ui/button.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { cardFault } from "../../words/held-out.ts";
import { askedWords, kindWords, workshopLead } from "../../words/workshop.ts";
import { FailureNote } from "../shell/query-gate.tsx";
import { WithSession } from "../shell/with-session.tsx";
import { type HeldOutChoice, UploadProgress } from "../tasks/held-out-upload.tsx";
import { useHeldOutUpload } from "../tasks/use-held-out-upload.ts";
import { AboutPart } from "./about-part.tsx";
import { ColumnsPart } from "./columns-part.tsx";
import { Dock } from "./dock.tsx";
import { HeldOutPart } from "./held-out-part.tsx";
import { ModelPart } from "./model-part.tsx";
import { PicturesPart } from "./pictures-part.tsx";
import { PreviewPart } from "./preview-part.tsx";
import { RulesPart } from "./rules-part.tsx";
import { DropArea } from "./sample-buttons.tsx";
import { SamplePart } from "./sample-part.tsx";
import { StartPart } from "./start-part.tsx";
import { TrialPart } from "./trial-part.tsx";
import { useTrial } from "./use-trial.ts";
import { useWorkshop, type Workshop } from "./use-workshop.ts";
import { Problems } from "./wrong.tsx";

/** `/tasks/new`: from a sample to a published version, on one page. */
export function WorkshopPage({ from }: { readonly from: string | null }) {
  return <WithSession needs="tasks.create">{(me) => <WorkshopOf me={me} from={from} />}</WithSession>;
}

function WorkshopOf({ me, from }: { readonly me: OwnSession; readonly from: string | null }) {
  const workshop = useWorkshop();
  const fault = useBeginFrom(workshop, from);
  const { drafts, read } = useDrafts();
  const { draft, result } = workshop;
  const problems = result?.problems ?? [];
  return (
    <DropArea onFiles={workshop.choose}>
      <Head workshop={workshop} problems={problems} onStartOver={read} />
      {draft === null ? (
        <>
          {fault !== null && (
            <div className="pb-9">
              <h2>There is nothing of “{from}” to begin with</h2>
              <FailureNote error={fault} />
            </div>
          )}
          {workshop.sample !== null && <SamplePart workshop={workshop} />}
          <StartPart workshop={workshop} drafts={drafts} onDrafts={read} />
          <Dock workshop={workshop} problems={[]} isPublishing={false} obstacle={null} onPublish={() => {}} />
        </>
      ) : (
        <Parts key={draft.data.kind} workshop={workshop} draft={draft} me={me} />
      )}
    </DropArea>
  );
}

/** Begins with the newest version of a task. */
function useBeginFrom({ begin }: Workshop, from: string | null): Error | null {
  const isBegun = useRef(false);
  const [fault, setFault] = useState<Error | null>(null);
  useEffect(() => {
    if (from === null || isBegun.current) return;
    isBegun.current = true;
    void getTask(from).then(
      ({ task }) => begin(draftOfTask(task)),
      (thrown: unknown) => setFault(thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
  }, [from, begin]);
  return fault;
}

function useDrafts() {
  const [drafts, setDrafts] = useState<readonly KeptDraft[]>([]);
  const read = useCallback(() => setDrafts(listDrafts(keptStorage())), []);
  useEffect(read, [read]);
  return { drafts, read };
}

function Head(props: {
  readonly workshop: Workshop;
  readonly problems: readonly DraftProblem[];
  readonly onStartOver: () => void;
}) {
  const { workshop, problems, onStartOver } = props;
  const { draft, version, keptAt, sample } = workshop;
  const lead = workshopLead(
    draft,
    workshop.hasTried ? problems : problems.filter(({ isMissing }) => isMissing),
    version,
  );
  return (
    <div className="head">
      <p className="crumb">
        <Link href="/tasks">Tasks</Link> / new
      </p>
      <h1>{draft === null ? "New task" : `${draft.about.slug || "New task"}, version ${version}`}</h1>
      <div>{draft !== null && <StartOver workshop={workshop} onStartOver={onStartOver} />}</div>
      <div className="state">
        <p className="lead min-h-[1.3em]">{lead}</p>
        <LiveRegion text={lead} />
        <p className="line-facts">
          {draft === null ? (
            <>
              <span>nothing is uploaded</span>
              <span>nothing is public until you publish</span>
            </>
          ) : (
            <>
              <span>{kindWords(draft)}</span>
              {draft.data.kind === "table" && <span>{askedWords(draft.columns)}</span>}
              {sample !== null && <span>the sample has not left this browser</span>}
              <span>
                {keptAt === null
                  ? "this browser keeps no draft"
                  : `draft kept here without the sample’s rows, saved ${formatTimeUtc(new Date(keptAt).toISOString()).slice(0, 5)} UTC`}
              </span>
            </>
          )}
        </p>
      </div>
    </div>
  );
}

function StartOver({
  workshop,
  onStartOver,
}: {
  readonly workshop: Workshop;
  readonly onStartOver: () => void;
}) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) return <Button onClick={() => setAsking(true)}>Start over…</Button>;
  return (
    <div className="flex flex-wrap items-center gap-3">
      <span className="text-sm">The draft is deleted.</span>
      <Button
        kind="stop"
        onClick={() => {
          workshop.startOver();
          onStartOver();
        }}
      >
        Delete and start over
      </Button>
      <Button kind="quiet" onClick={() => setAsking(false)}>
        Keep it
      </Button>
    </div>
  );
}

function Parts({
  workshop,
  draft,
  me,
}: {
  readonly workshop: Workshop;
  readonly draft: Draft;
  readonly me: OwnSession;
}) {
  const projects = projectsWhere(me, "tasks.create");
  const { result } = workshop;
  const all = result?.problems ?? [];
  const problems = new Problems(all, workshop);
  const trial = useTrial(workshop);
  const [heldOut, setHeldOut] = useState<HeldOutChoice | null>(null);
  const [project, setProject] = useState(projects[0] ?? "");
  const { data: status } = useStatus();
  const logged = status === undefined ? null : !/^0+$/.test(status.logKey);
  const publish = usePublish(workshop, projects.length > 1 && !draft.isNext ? project : null, heldOut);
  const link = useLink();
  const lacks = draft.heldOut === "upload" ? cardFault(heldOut) : null;
  const obstacle =
    link.state === "lost"
      ? `No connection since ${formatTimeUtc(link.sinceIso)} UTC. Publishing needs the coordinator.`
      : lacks === null
        ? null
        : `Held-out data: ${lacks}`;
  return (
    <>
      <SamplePart workshop={workshop} />
      {draft.data.kind === "pictures" ? (
        <PicturesPart workshop={workshop} problems={problems} />
      ) : (
        <ColumnsPart workshop={workshop} problems={problems} />
      )}
      <ModelPart workshop={workshop} problems={problems} isTrying={trial.isRunning} />
      <TrialPart workshop={workshop} trial={trial} />
      <RulesPart
        workshop={workshop}
        problems={problems}
        trialPoints={trial.isOld ? [] : (trial.view?.points ?? [])}
      />
      <HeldOutPart workshop={workshop} choice={heldOut} onChoice={setHeldOut} />
      <AboutPart workshop={workshop} problems={problems} />
      {projects.length > 1 && !draft.isNext && (
        <label className="field max-w-80 pb-9">
          Project
          <select value={project} onChange={(event) => setProject(event.target.value)}>
            {projects.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <PreviewPart workshop={workshop} logged={logged} me={me.name} />
      <Outcome workshop={workshop} publish={publish} />
      <Dock
        workshop={workshop}
        problems={all}
        isPublishing={publish.isUnderWay}
        obstacle={obstacle}
        onPublish={publish.act}
      />
    </>
  );
}

type Publish = ReturnType<typeof usePublish>;

/** Publishes the task, then uploads its held-out rows, then opens its page. */
function usePublish(workshop: Workshop, project: string | null, heldOut: HeldOutChoice | null) {
  const router = useRouter();
  const client = useQueryClient();
  const upload = useHeldOutUpload();
  const [published, setPublished] = useState<Task | null>(null);
  const { draft, result } = workshop;
  const create = useMutation({
    mutationFn: (task: Task) => createTask(task, project),
    onSuccess: async ({ task }) => {
      workshop.drop();
      setPublished(task);
      await client.invalidateQueries({ queryKey: KEYS.tasks });
      if (draft?.heldOut === "upload" && heldOut !== null) {
        const end = await upload.start(task.slug, heldOut, draft.data.kind);
        if (end?.state !== "set") return;
      }
      router.push(`/tasks/${task.slug}`);
    },
  });
  return {
    upload,
    published,
    error: create.error,
    forgetError: create.reset,
    isUnderWay: create.isPending || upload.isUnderWay,
    act: () => {
      if (result?.task != null && published === null) create.mutate(result.task);
    },
  };
}

/** What came of publishing, if it did not lead to the task's page. */
function Outcome({ workshop, publish }: { readonly workshop: Workshop; readonly publish: Publish }) {
  const { upload, published, error } = publish;
  if (published !== null && (upload.upload !== null || upload.error !== null)) {
    return (
      <div className="grid gap-3 pb-9" role="status">
        <p>
          Version {published.version} of <Link href={`/tasks/${published.slug}`}>{published.slug}</Link> is
          published.
        </p>
        {upload.upload !== null && <UploadProgress upload={upload.upload} onStop={upload.stop} />}
        {upload.error !== null && <FailureNote error={upload.error} />}
      </div>
    );
  }
  if (error === null) return null;
  if (error instanceof ApiFailure && error.code === "CONFLICT")
    return <Conflict workshop={workshop} sentence={error.message} onMended={publish.forgetError} />;
  return (
    <div className="grid gap-2 pb-9">
      <FailureNote error={error} />
      {error instanceof ApiFailure &&
        error.fields.map(({ path, sentence }) => (
          <p key={path} className="text-sm text-stop">
            <code>{path}</code>: {sentence}
          </p>
        ))}
    </div>
  );
}

/** Two people published the same version, or the name is taken. */
function Conflict(props: {
  readonly workshop: Workshop;
  readonly sentence: string;
  readonly onMended: () => void;
}) {
  const { workshop, sentence, onMended } = props;
  const slug = workshop.draft?.about.slug ?? "";
  const may = useMay();
  const [view, setView] = useState<TaskView | null>(null);
  useEffect(() => {
    void getTask(slug).then(setView, () => undefined);
  }, [slug]);
  // A name that another project has taken leads nowhere but to another name.
  const newest = may("tasks.create", view) ? (view?.task ?? null) : null;
  const isNext = workshop.draft?.isNext === true;
  return (
    <div className="alarm mb-9" role="alert">
      <h3>
        {newest !== null && isNext
          ? `Someone published version ${newest.version} while you were writing yours`
          : "This name is taken"}
      </h3>
      <p className="text-sm">{sentence} Nothing was published; your draft is as it was.</p>
      {newest !== null && (
        <div className="flex flex-wrap items-center gap-4">
          <Button
            onClick={() => {
              workshop.change((draft) => rebased(draft, newest));
              onMended();
            }}
          >
            {isNext
              ? `Begin from version ${newest.version}, keep my changes`
              : `Publish it as version ${newest.version + 1} of ${slug}`}
          </Button>
          <a href={`/tasks/${slug}`} target="_blank" rel="noreferrer">
            See version {newest.version} (new tab)
          </a>
        </div>
      )}
    </div>
  );
}
