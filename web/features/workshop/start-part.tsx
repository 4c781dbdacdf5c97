"use client";
import Link from "next/link";
import { useState } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import { draftOfTask } from "#shared/sample/draft-of-task.ts";
import { TEMPLATE_DRAFTS } from "#shared/sample/template-drafts.ts";
import { dropDraft, type KeptDraft } from "../../data/drafts.ts";
import { useTasks } from "../../data/queries.ts";
import { keptStorage } from "../../data/storage.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { FileButton } from "../../ui/file-button.tsx";
import { Section } from "../../ui/section.tsx";
import { formatWhenUtc, plural } from "../../words/format.ts";
import { CLOSED_PARTS, kindWords, PART_TITLES } from "../../words/workshop.ts";
import { EXAMPLE, exampleFile } from "./example.ts";
import { SampleButtons } from "./sample-buttons.tsx";
import { taskOfFile } from "./task-file.ts";
import type { Workshop } from "./use-workshop.ts";

interface StartPartProps {
  readonly workshop: Workshop;
  readonly drafts: readonly KeptDraft[];
  readonly onDrafts: () => void;
}

/** Before a sample: three ways in, what was begun before, and the parts that wait. */
export function StartPart({ workshop, drafts, onDrafts }: StartPartProps) {
  return (
    <>
      <div className="starts">
        <div>
          <h2>From a sample</h2>
          <p className="text-ink-2">
            A few hundred rows or pictures like those that people will bring. CSV, or a folder or zip of
            pictures with one folder per class.
          </p>
          <div className="flex flex-wrap gap-3">
            <SampleButtons onFiles={workshop.choose} />
          </div>
          <p className="note">
            Or drop it anywhere on this page. It is read in this browser and nowhere else; the first 5 MB are
            enough for a proposal.
          </p>
          <TakeExample onFiles={workshop.choose} />
        </div>
        <div>
          <h2>From a template</h2>
          <ul>
            {TEMPLATE_DRAFTS.map(({ name, title, question, create }) => (
              <li key={name} className="last:border-b last:border-rule">
                <button type="button" className="link underline" onClick={() => workshop.begin(create())}>
                  {title}
                </button>
                <p className="text-sm text-ink-2">{question}</p>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h2>From a task</h2>
          <FromTask workshop={workshop} />
        </div>
      </div>
      {drafts.length > 0 && (
        <Section id="drafts" title="Drafts" note="Kept in this browser, not on the coordinator.">
          <Drafts workshop={workshop} drafts={drafts} onDrafts={onDrafts} />
        </Section>
      )}
      {CLOSED_PARTS.map(([part, sentence]) => (
        <Section
          key={part}
          id={`part-${part}`}
          className="shut"
          title={
            <>
              <span className="part-number">{part}</span>
              {PART_TITLES[part]}
            </>
          }
        >
          <p>{sentence}</p>
        </Section>
      ))}
    </>
  );
}

function TakeExample({ onFiles }: { readonly onFiles: Workshop["choose"] }) {
  const [problem, setProblem] = useState<string | null>(null);
  const take = async () => {
    setProblem(null);
    try {
      onFiles([await exampleFile()]);
    } catch (fault) {
      const reason = fault instanceof Error ? fault.message : String(fault);
      setProblem(`The example could not be fetched (${reason}). Try again.`);
    }
  };
  return (
    <p className="note">
      No data at hand?{" "}
      <button type="button" className="link underline" onClick={() => void take()}>
        Take the example: {EXAMPLE.words}
      </button>
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
    </p>
  );
}

const TASKS_SHOWN = 5;

function FromTask({ workshop }: { readonly workshop: Workshop }) {
  const { data: tasks = [] } = useTasks();
  const [problem, setProblem] = useState<string | null>(null);
  const open = async ([file]: readonly File[]) => {
    if (file === undefined) return;
    const read = await taskOfFile(file);
    setProblem(read.ok ? null : read.error);
    if (read.ok) workshop.begin(read.value);
  };
  return (
    <ul>
      {tasks.slice(0, TASKS_SHOWN).map((view) => (
        <li key={view.task.slug}>
          <button
            type="button"
            className="link underline"
            onClick={() => workshop.begin(draftOfTask(view.task))}
          >
            {view.task.slug}, version {view.task.version}
          </button>
          <p className="text-sm text-ink-2">{taskLine(view)}</p>
        </li>
      ))}
      {tasks.length > TASKS_SHOWN && (
        <li className="text-sm">
          <Link href="/tasks">All {tasks.length} tasks</Link>
        </li>
      )}
      <li className="grid gap-1 border-b border-rule">
        <FileButton accept=".json,application/json" kind="quiet" onFiles={(files) => void open(files)}>
          A file
        </FileButton>
        <p className="text-sm text-ink-2">
          JSON, as <code>npm run task</code> takes it
        </p>
        {problem !== null && <ErrorLine>{problem}</ErrorLine>}
      </li>
    </ul>
  );
}

function taskLine({ task, deviceCount }: TaskView): string {
  return `${task.exampleNoun.many}, ${plural(deviceCount, "device")} here`;
}

function Drafts({ workshop, drafts, onDrafts }: StartPartProps) {
  const columns: readonly TableColumn<KeptDraft>[] = [
    { label: "Draft", cell: ({ draft }) => <b className="font-semibold">{draft.about.slug}</b> },
    {
      label: "State",
      cell: ({ draft }) =>
        draft.sample === null ? kindWords(draft) : `${kindWords(draft)}; the sample has to be chosen again`,
    },
    { label: "Saved", cell: ({ savedAt }) => formatWhenUtc(new Date(savedAt).toISOString()) },
    {
      label: "Actions",
      hiddenLabel: true,
      cell: ({ id, draft }) => (
        <span className="flex gap-4">
          <Button
            kind="quiet"
            onClick={() => workshop.begin(draft, id)}
            aria-label={`Go on with ${draft.about.slug}`}
          >
            Go on
          </Button>
          <Button
            kind="quiet"
            aria-label={`Delete the draft ${draft.about.slug}`}
            onClick={() => {
              dropDraft(keptStorage(), id);
              onDrafts();
            }}
          >
            Delete
          </Button>
        </span>
      ),
    },
  ];
  return <DataTable caption="Drafts" columns={columns} rows={drafts} rowKey={({ id }) => id} records />;
}
