"use client";
import type { Participant, ParticipantView, Refusal } from "#client/index.ts";
import { ProgressBar } from "../../ui/progress-bar.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import type { StateLine } from "../../words/join.ts";
import { Actions, hasActions } from "./actions.tsx";

/** Refusals that the state line says in its own words. */
const TOLD: ReadonlySet<Refusal["code"]> = new Set(["NO_ENGINE", "TASK_ARCHIVED"]);

/** The current state, with progress and the possible actions; stays under the title. */
export function NowBar(props: {
  readonly participant: Participant;
  readonly view: ParticipantView;
  readonly line: StateLine;
}) {
  const { participant, view, line } = props;
  const takesDevice = view.consent?.current === true && view.task.archivedAt === null;
  return (
    <section
      aria-label="Current state"
      className="mt-5 grid max-w-[40rem] grid-cols-[minmax(0,1fr)] items-center gap-x-8 gap-y-1.5 border-t border-ink pt-4 md:grid-cols-[minmax(0,1fr)_auto]"
    >
      <div className="grid min-h-24 content-start gap-1.5 md:min-h-20">
        <p className="font-serif text-lg">{line.title}</p>
        <p className="text-sm text-ink-2">{line.detail}</p>
      </div>
      <div className="hidden flex-wrap gap-3 self-start md:flex">
        <Actions participant={participant} stage={view.stage} takesDevice={takesDevice} />
      </div>
      <div className="mt-1 h-1.5 md:col-span-2">
        {line.progress !== null && <ProgressBar label={line.progress.label} parts={line.progress.parts} />}
      </div>
      {/* The state line already says if another tab takes part. */}
      {view.refusal !== null && !TOLD.has(view.refusal.code) && view.stage !== "locked" && (
        <RefusalNote refusal={view.refusal} />
      )}
    </section>
  );
}

/** The same words and buttons for a phone, at the bottom of the screen. */
export function Dock(props: {
  readonly participant: Participant;
  readonly view: ParticipantView;
  readonly line: StateLine;
}) {
  const { participant, view, line } = props;
  const { stage } = view;
  const takesDevice = view.consent?.current === true && view.task.archivedAt === null;
  if (!hasActions(stage, takesDevice)) return null;
  return (
    <section
      aria-label="Pause and leave"
      data-dock
      className="sticky bottom-0 z-10 -mx-[var(--space-gutter)] flex items-center justify-between gap-3 border-t border-ink bg-paper px-[var(--space-gutter)] py-2.5 text-sm md:hidden"
    >
      <span className="min-w-0">{line.short}</span>
      <span className="flex flex-none gap-3">
        <Actions participant={participant} stage={stage} takesDevice={takesDevice} />
      </span>
    </section>
  );
}

/** A refusal: the reason, what to do, what changed, and the code for people who look it up. */
function RefusalNote({ refusal }: { readonly refusal: Refusal }) {
  return (
    <div className="mt-2 text-sm md:col-span-2">
      <StatusMark kind="refused">
        {refusal.by === "device" && "Your browser refused. "}
        {refusal.sentence} <span className="mono text-ink-3">{refusal.code}</span>
      </StatusMark>
    </div>
  );
}
