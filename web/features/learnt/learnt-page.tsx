"use client";
import { useId, useState } from "react";
import type { Task } from "#shared/task/task.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Footer } from "../../ui/footer.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { WordList } from "../../ui/word-list.tsx";
import { formatCount } from "../../words/format.ts";
import {
  type CohortFacts,
  cohortFacts,
  cohortRange,
  cohortSentence,
  learntLists,
  learntSentence,
  notProtected,
  refusals,
  stepWords,
  tableSizes,
  usualSize,
} from "../../words/learnt.ts";
import { joinHref } from "../join/join-address.ts";
import { FirstWords } from "../join/not-open.tsx";
import { BareTopBar } from "../shell/brand.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { CohortPicture } from "./cohort-picture.tsx";
import { type AgreedTask, useAgreedTask } from "./use-agreed-task.ts";

/** What the coordinator could and could not learn about a participant, in their words. */
export function LearntPage({ slug }: { readonly slug: string }) {
  const task = useAgreedTask(slug);
  return (
    <div className="flex flex-1 flex-col [--container-page:70rem]">
      <BareTopBar />
      <main id="main" tabIndex={-1} className="wrap">
        {task.isPending ? (
          <FirstWords fetching="the task" />
        ) : (
          <QueryGate query={task} what="the task" pageOf="task">
            {(read) => <Loaded {...read} />}
          </QueryGate>
        )}
      </main>
      {task.data !== undefined && (
        <Footer>
          <span>
            Task {task.data.task.slug}, version {task.data.task.version}
          </span>
          <span>Every number here follows from the task's rules</span>
        </Footer>
      )}
    </div>
  );
}

function Loaded({ task, joining }: AgreedTask) {
  const lists = learntLists(task);
  return (
    <>
      <div className="grid gap-4 pt-[clamp(2rem,4vw,3.25rem)] pb-[clamp(1.75rem,3vw,2.5rem)]">
        <p className="crumb">
          <a href={joinHref(task.slug, "join")}>Take part: {task.slug}</a>
        </p>
        <h1 className="max-w-[20em]">What the coordinator could and could not learn</h1>
        <p className="lead max-w-[44rem] text-ink-2">{learntSentence(task)}</p>
      </div>
      <Section id="lists" title="In three lists" note="Of one device, in one round.">
        <div className="cols3">
          <WordList title="It sees" lines={lists.sees} />
          <WordList title="It cannot see" lines={lists.cannot} you />
          <WordList title="It could see in some cases" lines={lists.onlyIf} />
        </div>
      </Section>
      <Section
        id="how-many"
        title="How many would have to help"
        note="Each stroke is a device that holds pieces for yours. This browser computes these numbers itself; nobody can make it accept lower ones."
      >
        <CohortExplorer task={task} />
      </Section>
      <Section id="steps" title="Step by step" note="The five messages of a round, and what each reveals.">
        <StepTable task={task} />
      </Section>
      <Section
        id="refusals"
        title="What this browser refuses"
        note="It refuses by itself, and sends nothing more in that round."
      >
        <ul className="max-w-[44rem]">
          {refusals(task).map(({ what, code }) => (
            <li
              key={code}
              className="flex flex-wrap justify-between gap-x-6 border-t border-rule py-2 first:border-t-0"
            >
              <span>{what}</span>
              <code className="text-ink-3">{code}</code>
            </li>
          ))}
        </ul>
      </Section>
      <Section id="not-protected" title="What nothing here stops" note="The most important first.">
        <dl className="grid max-w-[44rem] gap-3">
          {notProtected(task, joining).map(({ title, words }) => (
            <div key={title}>
              <dt className="font-semibold">
                <StatusMark kind="unknown">{title}</StatusMark>
              </dt>
              <dd className="mt-0.5 ml-[1.6rem] text-ink-2">{words}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section id="check" title="Check it yourself">
        <WaysToCheck slug={task.slug} />
      </Section>
    </>
  );
}

function StepTable({ task }: { readonly task: Task }) {
  return (
    <DataTable
      caption="What leaves in each step, and what the coordinator reads in it"
      rows={stepWords(task)}
      rowKey={({ step }) => step}
      records
      columns={[
        { label: "Step", cell: ({ step }) => <strong>{step}</strong> },
        { label: "What leaves", cell: ({ leaves }) => leaves },
        { label: "What the coordinator reads in it", cell: ({ reads }) => reads },
        { label: "What keeps the rest hidden", cell: ({ hidden }) => hidden },
      ]}
    />
  );
}

function WaysToCheck({ slug }: { readonly slug: string }) {
  return (
    <ul className="grid max-w-[44rem] gap-2 text-ink-2">
      <li>
        On a first visit you trust whoever serves the join page. Someone with the program fetches the page as
        you do, and compares each of its files with the list whose hash stands in the public log:{" "}
        <code className="wrap-anywhere">npm run verify -- shell URL</code>.
      </li>
      <li>
        The log’s key stands on the audit page and in every receipt. Compare it with what someone else was
        shown, by phone or on paper: two keys mean two logs. From the second visit on, this browser notices a
        change by itself.
      </li>
      <li>
        After a round the <a href={`${joinHref(slug, "join")}#left`}>join page</a> shows each byte that left
        beside what stayed, and lets you keep them.
      </li>
      <li>
        The same page proves that your own list is under the root that it was told, looks the root up in the
        round, and links to it.
      </li>
      <li>
        If a coordinator keeps its rounds, whoever has its auditor's key can compute the sum and the next
        model again: <code>npm run verify -- round ID --auditor-key FILE</code>.
      </li>
      <li>
        The edge program does what this page does, from source that you can read:{" "}
        <code className="whitespace-nowrap">npm run edge -- --help</code>.
      </li>
    </ul>
  );
}

function CohortExplorer({ task }: { readonly task: Task }) {
  const { from, to } = cohortRange(task);
  const id = useId();
  const [size, setSize] = useState(Math.max(from, Math.min(to, usualSize(task))));
  const facts = cohortFacts(task, size);
  const rows = tableSizes(task).flatMap((rosterSize) => cohortFacts(task, rosterSize) ?? []);
  const count = (name: "confirming" | "colluding" | "honestInSum" | "mayLeave") => (row: CohortFacts) => {
    const value = row[name];
    return value === null ? "all of them" : formatCount(value);
  };
  return (
    <div className="grid grid-cols-1 gap-6">
      {facts !== null && (
        <div className="grid grid-cols-1 gap-3">
          <CohortPicture facts={facts} />
          <div className="field max-w-[28rem]">
            <label htmlFor={id}>
              Devices in the {facts.whole}: {formatCount(size)}
            </label>
            <input
              id={id}
              type="range"
              min={from}
              max={to}
              value={size}
              onChange={(event) => setSize(Number(event.target.value))}
            />
          </div>
          <p className="read" aria-live="polite">
            {cohortSentence(facts)}
          </p>
        </div>
      )}
      <div className="max-w-[44rem]">
        <DataTable
          caption="What follows from the number of devices in one sum"
          rows={rows}
          rowKey={({ rosterSize }) => rosterSize}
          records
          columns={[
            { label: "Devices", numeric: true, cell: ({ rosterSize }) => formatCount(rosterSize) },
            { label: "Must confirm", numeric: true, cell: count("confirming") },
            { label: "May work with the coordinator", numeric: true, cell: count("colluding") },
            { label: "Honest lists in what opens, at least", numeric: true, cell: count("honestInSum") },
            { label: "May leave", numeric: true, cell: count("mayLeave") },
          ]}
        />
      </div>
    </div>
  );
}
