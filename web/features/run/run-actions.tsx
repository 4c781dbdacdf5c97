"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import type { RunView } from "#shared/protocol/api.ts";
import { runActSentence } from "#shared/round/act-sentences.ts";
import { actOnRun } from "../../data/api.ts";
import type { Link } from "../../data/live.tsx";
import { KEYS } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { LogEntry, LogNote } from "../../ui/log-entry.tsx";
import { actionsOff, pauseLabel, stopSentence } from "../../words/run.ts";
import { actionsNote, runName } from "../../words/sentences.ts";
import { FailureNote } from "../shell/query-gate.tsx";

interface RunActionsProps {
  readonly run: RunView;
  readonly link: Link;
  /** The reader's name, as the log knows it. */
  readonly me: string;
}

/** Pause, resume and stop, each with what the log will keep. Stopping first asks, and says what will happen. */
export function RunActions({ run, link, me }: RunActionsProps) {
  const cache = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const act = useMutation({
    mutationFn: (name: "pause" | "resume" | "stop") => actOnRun(run.runId, name),
    onSuccess: (changed) => cache.setQueryData(KEYS.run(run.runId), changed),
  });
  if (run.state === "completed" || run.state === "failed") return null;
  const lost = link.state === "lost";
  const off = lost || act.isPending;
  const note = actionsNote(run);
  const resumable = run.state === "paused" || run.pausing;
  const isPauseOff = resumable
    ? run.state === "stopping"
    : run.state !== "running" && run.state !== "waiting";
  const stop = () => {
    dialog.current?.close();
    act.mutate("stop");
  };
  return (
    <div className="grid gap-2 md:justify-items-end">
      <div className="grid grid-cols-[1.4fr_1fr] gap-3 md:flex">
        <Button disabled={off || isPauseOff} onClick={() => act.mutate(resumable ? "resume" : "pause")}>
          {pauseLabel(run)}
        </Button>
        <Button
          kind="stop"
          disabled={off || run.state === "stopping"}
          onClick={() => dialog.current?.showModal()}
        >
          Stop run…
        </Button>
      </div>
      {lost && <p className="note">{actionsOff(link.sinceIso)}</p>}
      {!isPauseOff && (
        <LogNote sentence={runActSentence(resumable ? "run.resume-asked" : "run.pause-asked", me)} />
      )}
      {note !== null && <p className="note">{note}</p>}
      {act.error !== null && <FailureNote error={act.error} />}
      <dialog
        ref={dialog}
        aria-labelledby="stop-title"
        className="m-auto w-[min(34rem,calc(100vw-2rem))] rounded-md border border-rule bg-sheet p-6 text-ink shadow-sheet backdrop:bg-ink/30"
      >
        <h2 id="stop-title" className="mb-3">
          Stop {runName(run)}?
        </h2>
        <p className="read mb-5">{stopSentence(run)}</p>
        <div className="mb-5">
          <LogEntry sentences={[runActSentence("run.stop-asked", me)]} />
        </div>
        <div className="flex flex-wrap gap-3">
          <Button kind="stop" onClick={stop}>
            Stop the run
          </Button>
          <Button onClick={() => dialog.current?.close()}>Keep it running</Button>
        </div>
      </dialog>
    </div>
  );
}
