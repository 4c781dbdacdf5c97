"use client";
import { type KeyboardEvent, type PointerEvent, useState } from "react";

/**
 * Reads a drawing step by step: with arrows, Home and End, or with the pointer. Escape or leaving it stops.
 *
 * @param stepCount  Steps of the drawing; the right arrow starts at the first, the left one at the last.
 * @param stepAt     Step under a pointer at `x`, `y` CSS pixels from the corner of the drawing; null outside it.
 */
export function useReader(stepCount: number, stepAt: (x: number, y: number) => number | null) {
  const [step, setStep] = useState<number | null>(null);
  const go = (next: number) => setStep(Math.min(stepCount - 1, Math.max(0, next)));
  const handlers = {
    onKeyDown(event: KeyboardEvent) {
      if (stepCount === 0) return;
      const at = step ?? stepCount;
      if (event.key === "ArrowLeft" || event.key === "ArrowUp") go(at - 1);
      else if (event.key === "ArrowRight" || event.key === "ArrowDown") go(step === null ? 0 : at + 1);
      else if (event.key === "Home") go(0);
      else if (event.key === "End") go(stepCount - 1);
      else if (event.key === "Escape") setStep(null);
      else return;
      event.preventDefault();
    },
    onBlur: () => setStep(null),
    onPointerMove(event: PointerEvent) {
      if (stepCount === 0) return;
      const corner = event.currentTarget.getBoundingClientRect();
      const found = stepAt(event.clientX - corner.left, event.clientY - corner.top);
      setStep(found === null ? null : Math.min(stepCount - 1, Math.max(0, found)));
    },
    onPointerLeave: () => setStep(null),
  };
  return { step: step === null || stepCount === 0 ? null : Math.min(step, stepCount - 1), handlers };
}
