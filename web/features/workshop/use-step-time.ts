"use client";
import { useEffect, useState } from "react";
import type { Task } from "#shared/task/task.ts";
import { workbench } from "./bench.ts";

/** Measuring begins once the model has stayed the same for so long. */
const QUIET_MS = 800;

/**
 * Milliseconds of one training step of the task's model on this device; null while it is not known.
 *
 * @param isBusy  A trial has the engines.
 */
export function useStepTime(task: Task | null, isBusy: boolean): number | null {
  const [measured, setMeasured] = useState<{ readonly key: string; readonly ms: number | null } | null>(null);
  const key = task === null ? "" : JSON.stringify([task.model, task.training.batchSize]);
  useEffect(() => {
    if (task === null || isBusy || measured?.key === key) return;
    let isOver = false;
    const timer = setTimeout(() => {
      void workbench()
        .then((bench) => bench.measure(task))
        .then(({ msPerStep }) => !isOver && setMeasured({ key, ms: msPerStep }))
        // Without an engine there is no figure; a trial says why.
        .catch(() => undefined);
    }, QUIET_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [task, key, isBusy, measured]);
  return measured?.key === key ? measured.ms : null;
}
