"use client";
import { startTransition, useCallback, useEffect, useRef, useState } from "react";
import type { Sample, Trial, TrialView } from "#client/index.ts";
import { triedKey } from "#shared/sample/tried.ts";
import type { Task } from "#shared/task/task.ts";
import { workbench } from "./bench.ts";
import type { Workshop } from "./use-workshop.ts";

export interface TrialState {
  readonly view: TrialView | null;
  /** The task that was tried, for words about its classes. */
  readonly task: Task | null;
  readonly isRunning: boolean;
  /** The draft or the sample is another one since. */
  readonly isOld: boolean;
  /** Why it could not begin. */
  readonly problem: string | null;
  start(pretendDevices: number | null): void;
  stop(): void;
}

const PASSES = 40;

/** One trial at a time, on the rows of the sample. */
export function useTrial({ rows, result, source }: Workshop): TrialState {
  const [view, setView] = useState<TrialView | null>(null);
  const [tried, setTried] = useState<{ readonly task: Task; readonly source: Sample | null } | null>(null);
  const trial = useRef<Trial | null>(null);
  useEffect(() => () => trial.current?.stop(), []);
  const preview = result?.preview ?? null;
  const [problem, setProblem] = useState<string | null>(null);
  const start = useCallback(
    async (pretendDevices: number | null) => {
      if (rows.state !== "read" || preview === null) return;
      trial.current?.stop();
      setProblem(null);
      const { dataset } = rows.rows;
      const begun = (await workbench()).trial({
        task: preview,
        rows: dataset,
        passes: PASSES,
        ...(pretendDevices !== null && {
          rowsPerPass: Math.max(1, Math.floor((0.8 * dataset.count) / pretendDevices)),
        }),
      });
      trial.current = begun;
      setTried({ task: preview, source });
      setView(begun.view.get());
      begun.view.subscribe(() => {
        if (trial.current === begun) startTransition(() => setView(begun.view.get()));
      });
    },
    [rows, preview, source],
  );
  return {
    view,
    task: tried?.task ?? null,
    isOld:
      tried !== null &&
      (tried.source !== source || preview === null || triedKey(tried.task) !== triedKey(preview)),
    isRunning: view?.state === "starting" || view?.state === "training",
    start: useCallback(
      (pretendDevices) => void start(pretendDevices).catch((fault: unknown) => setProblem(problemOf(fault))),
      [start],
    ),
    problem,
    stop: useCallback(() => trial.current?.stop(), []),
  };
}

function problemOf(fault: unknown): string {
  const reason = fault instanceof Error ? fault.message : String(fault);
  return `The trial could not begin (${reason}). Try again, or reload the page; the draft stays.`;
}
