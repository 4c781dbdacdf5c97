"use client";
import { useRef, useState } from "react";
import { callFailure } from "../../words/failure.ts";

export interface Call {
  /** True until the call has been answered. */
  readonly busy: boolean;
  /** Why the last call failed; null if it did not. */
  readonly problem: string | null;
  /** Runs one call at a time, and ignores further ones meanwhile. */
  readonly call: (run: () => Promise<unknown>) => Promise<void>;
}

/** A call to the participant whose failure is shown beside its button, which then works again. */
export function useCall(): Call {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const running = useRef(false);
  const call = async (run: () => Promise<unknown>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await run();
    } catch (fault) {
      setProblem(callFailure(fault));
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, problem, call };
}
