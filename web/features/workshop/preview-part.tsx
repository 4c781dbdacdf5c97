"use client";
import { useState } from "react";
import { taskSlice } from "#client/index.ts";
import type { Task } from "#shared/task/task.ts";
import { useNewestTask } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { LogEntry } from "../../ui/log-entry.tsx";
import { consentWords, leadSentence } from "../../words/join.ts";
import { askedForSentence, publishEntry } from "../../words/workshop-preview.ts";
import { ConsentLists } from "../join/consent-lists.tsx";
import { Difference } from "../tasks/difference.tsx";
import { NumberedPart } from "./numbered-part.tsx";
import type { Workshop } from "./use-workshop.ts";

/** Part 8: the start of the join page, made of its own parts, and what differs from the version before. */
export function PreviewPart({
  workshop,
  logged,
  me,
}: {
  readonly workshop: Workshop;
  readonly logged: boolean | null;
  /** The reader's name, as the log knows it. */
  readonly me: string;
}) {
  const { result, version, draft } = workshop;
  // A new version of an archived task takes it up again, which the log says.
  const before = useNewestTask(draft?.isNext === true ? draft.about.slug : null).data;
  if (draft === null || result === null) return null;
  const { preview } = result;
  return (
    <NumberedPart part={8} note="The start of the join page, as it would be today.">
      <div className="stack">
        {preview === null ? (
          <p className="text-ink-2">It is drawn once the columns, the model and the rules fit.</p>
        ) : (
          <JoinPreview task={preview} logged={logged} />
        )}
        {draft.base === null || !draft.isNext ? (
          <p className="max-w-3xl text-sm text-ink-2">
            Version {version}, so there is no earlier one to compare with. After publishing it never changes:
            whatever you mend becomes version {version + 1}, and devices are asked again.
          </p>
        ) : (
          preview !== null && <Difference before={draft.base} after={preview} />
        )}
        {preview !== null && <LogEntry sentences={[publishEntry(preview, me, before?.archived != null)]} />}
      </div>
    </NumberedPart>
  );
}

function JoinPreview({ task, logged }: { readonly task: Task; readonly logged: boolean | null }) {
  const [isNarrow, setNarrow] = useState(false);
  return (
    <div className="grid gap-3">
      <JoinPage task={task} logged={logged} isNarrow={isNarrow} />
      <p className="max-md:hidden">
        <Button kind="quiet" onClick={() => setNarrow(!isNarrow)}>
          {isNarrow ? "See it at full width" : "See it at phone width"}
        </Button>
      </p>
    </div>
  );
}

function JoinPage(props: {
  readonly task: Task;
  readonly logged: boolean | null;
  readonly isNarrow: boolean;
}) {
  const { task, logged, isNarrow } = props;
  const slice = taskSlice(task, "0".repeat(64), task.invitation);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls of a form
    <div
      className={isNarrow ? "page-preview narrow" : "page-preview"}
      role="group"
      aria-label="Preview of the join page"
    >
      <p className="big">{task.invitation}</p>
      <p className="sub">{leadSentence(slice)}</p>
      <ConsentLists words={consentWords(slice, logged)} />
      <div>
        <h3>You will be asked for</h3>
        <p className="mt-1 max-w-3xl text-sm text-ink-2">{askedForSentence(task)}</p>
      </div>
    </div>
  );
}
