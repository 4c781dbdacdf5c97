"use client";
import { startTransition, useCallback, useEffect, useRef, useState } from "react";
import type { Trial, TrialView } from "#client/index.ts";
import type { Task } from "#shared/task/task.ts";
import { workbench } from "./bench.ts";
import type { Workshop } from "./use-workshop.ts";

export interface TrialState {
  readonly view: TrialView | null;
  /** The task that was tried, for words about its classes. */
  readonly task: Task | null;
  readonly isRunning: boolean;
  /** Why it could not begin. */
  readonly problem: string | null;
  start(pretendDevices: number | null): void;
  stop(): void;
}

const PASSES = 40;

/** One trial at a time, on the rows of the sample. */
export function useTrial({ rows, result }: Workshop): TrialState {
  const [view, setView] = useState<TrialView | null>(null);
  const [task, setTask] = useState<Task | null>(null);
  const trial = useRef<Trial | null>(null);
  useEffect(() => () => trial.current?.stop(), []);
  const preview = result?.preview ?? null;
  const [problem, setProblem] = useState<string | null>(null);
  const start = useCallback(
    async (pretendDevices: number | null) => {
      if (rows.state !== "read" || preview === null) return;
      trial.current?.stop();
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
      setTask(preview);
      setView(begun.view.get());
      begun.view.subscribe(() => {
        if (trial.current === begun) startTransition(() => setView(begun.view.get()));
      });
    },
    [rows, preview],
  );
  return {
    view,
    task,
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
