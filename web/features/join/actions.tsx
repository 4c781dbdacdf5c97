"use client";
import type { Participant, Stage } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { takesPartWords } from "../../words/join.ts";
import { useCall } from "./use-call.ts";

interface ActionsProps {
  readonly participant: Participant;
  readonly stage: Stage;
  /** The person has agreed, and the task is not archived. */
  readonly takesDevice: boolean;
}

/** False before there is something to start, and once the task takes no more devices. */
export function hasActions(stage: Stage, takesDevice: boolean): boolean {
  return takesDevice && stage !== "consent" && stage !== "data";
}

/** Start, Pause, Leave and the like. The first button stays the same element, so that it keeps the focus. */
export function Actions({ participant, stage, takesDevice }: ActionsProps) {
  const { busy, problem, call } = useCall();
  if (!hasActions(stage, takesDevice)) return null;
  const main = mainAction(participant, stage);
  const mayLeave = stage !== "ready" && stage !== "locked" && stage !== "left";
  return (
    <>
      <Button kind={main.kind} aria-disabled={busy} onClick={() => void call(main.run)}>
        {main.words}
      </Button>
      {mayLeave && (
        <Button aria-disabled={busy} onClick={() => void call(() => participant.leave())}>
          Leave
        </Button>
      )}
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
    </>
  );
}

/** The main action again, where the data were added. */
export function StartHere({
  participant,
  stage,
  takesDevice,
  many,
}: ActionsProps & { readonly many: string }) {
  const { busy, problem, call } = useCall();
  if (!hasActions(stage, takesDevice)) return null;
  const main = mainAction(participant, stage);
  return (
    <div className="mt-6 hidden flex-wrap items-center gap-x-5 gap-y-2 border-t border-rule pt-5 md:flex">
      <Button kind={main.kind} aria-disabled={busy} onClick={() => void call(main.run)}>
        {main.words}
      </Button>
      <p className="note">{takesPartWords(stage, many)}</p>
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
    </div>
  );
}

interface MainAction {
  readonly words: string;
  readonly kind?: "main";
  /** A refusal is shown in the view. */
  readonly run: () => Promise<unknown>;
}

function mainAction(participant: Participant, stage: Stage): MainAction {
  switch (stage) {
    case "consent":
    case "data":
    case "ready":
      return { words: "Start", kind: "main", run: () => participant.start() };
    case "locked":
      return { words: "Try again", run: () => participant.start() };
    case "left":
      return { words: "Take part again", run: () => participant.start() };
    case "paused":
      return { words: "Go on", kind: "main", run: () => participant.resume() };
    case "connecting":
    case "waiting":
    case "in-round":
    case "mending":
      return { words: "Pause", run: () => participant.pause() };
  }
}
