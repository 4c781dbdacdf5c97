"use client";
import { useState } from "react";
import type { Participant, ParticipantView, Refusal, Stage } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import type { StateLine } from "../../words/join.ts";

/** How things stand, with progress and what one can do about it; stays under the title. */
export function NowBar(props: {
  readonly participant: Participant;
  readonly view: ParticipantView;
  readonly line: StateLine;
}) {
  const { participant, view, line } = props;
  const agreed = view.consent?.current === true;
  return (
    <section
      aria-label="How things stand"
      className="mt-5 grid max-w-[40rem] grid-cols-[minmax(0,1fr)] items-center gap-x-8 gap-y-1.5 border-t border-ink pt-4 md:grid-cols-[minmax(0,1fr)_auto]"
    >
      <div className="grid min-h-24 content-start gap-1.5 md:min-h-20">
        <p className="font-serif text-lg">{line.title}</p>
        <p className="text-sm text-ink-2">{line.detail}</p>
      </div>
      <div className="hidden flex-wrap gap-3 self-start md:flex">
        <Actions participant={participant} stage={view.stage} agreed={agreed} />
      </div>
      <div className="mt-1 h-1.5 md:col-span-2">
        {line.progress !== null && <Progress progress={line.progress} />}
      </div>
      {/* The line itself says that another tab takes part, and that no engine works. */}
      {view.refusal !== null && view.stage !== "locked" && view.refusal.code !== "NO_ENGINE" && (
        <RefusalNote refusal={view.refusal} />
      )}
    </section>
  );
}

/** On a phone the same words and buttons stay at the bottom of the screen. */
export function Dock(props: {
  readonly participant: Participant;
  readonly view: ParticipantView;
  readonly line: StateLine;
}) {
  const { participant, view, line } = props;
  const { stage } = view;
  const agreed = view.consent?.current === true;
  if (!hasActions(stage, agreed)) return null;
  return (
    <section
      aria-label="Pause and leave"
      className="sticky bottom-0 z-10 -mx-[var(--space-gutter)] flex items-center justify-between gap-3 border-t border-ink bg-paper px-[var(--space-gutter)] py-2.5 text-sm md:hidden"
    >
      <span className="min-w-0">{line.short}</span>
      <span className="flex flex-none gap-3">
        <Actions participant={participant} stage={stage} agreed={agreed} />
      </span>
    </section>
  );
}

const hasActions = (stage: Stage, agreed: boolean): boolean =>
  agreed && stage !== "consent" && stage !== "data";

function Actions(props: {
  readonly participant: Participant;
  readonly stage: Stage;
  readonly agreed: boolean;
}) {
  const { participant, stage, agreed } = props;
  const [busy, setBusy] = useState(false);
  const act = (run: () => Promise<unknown>) => async () => {
    setBusy(true);
    // A refusal shows in the view; the button only waits for the answer.
    await run();
    setBusy(false);
  };
  const button = (words: string, run: () => Promise<unknown>, kind?: "main") => (
    <Button kind={kind} disabled={busy} onClick={() => void act(run)()}>
      {words}
    </Button>
  );
  switch (stage) {
    case "consent":
    case "data":
      return null;
    case "ready":
      return button("Start", () => participant.start(), "main");
    case "locked":
      return button("Try again", () => participant.start());
    case "left":
      return agreed && button("Take part again", () => participant.start());
    case "paused":
      return (
        <>
          {button("Go on", () => participant.resume(), "main")}
          {button("Leave", () => participant.leave())}
        </>
      );
    case "connecting":
    case "waiting":
    case "in-round":
    case "mending":
      return (
        <>
          {button("Pause", () => participant.pause())}
          {button("Leave", () => participant.leave())}
        </>
      );
  }
}

function Progress({ progress }: { readonly progress: NonNullable<StateLine["progress"]> }) {
  const { label, parts } = progress;
  const percent = Math.round((100 * parts.reduce((sum, part) => sum + part, 0)) / parts.length);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="flex h-full gap-1"
    >
      {parts.map((part, index) => (
        <svg
          // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place
          key={index}
          viewBox="0 0 100 6"
          preserveAspectRatio="none"
          className="h-full min-w-0 flex-1"
          aria-hidden="true"
        >
          <rect width="100" height="6" className="fill-rule" />
          <rect width={100 * part} height="6" className="bar-you" />
        </svg>
      ))}
    </div>
  );
}

/** Refused, why, what to do, what changed; the code for people who look it up. */
function RefusalNote({ refusal }: { readonly refusal: Refusal }) {
  return (
    <div className="mt-2 text-sm md:col-span-2">
      <StatusMark kind="refused">
        {refusal.by === "device" && "Your browser said no. "}
        {refusal.sentence} <span className="mono text-ink-3">{refusal.code}</span>
      </StatusMark>
    </div>
  );
}
