import type { Stage } from "#client/index.ts";

/* The participant page's words for leaving a task, and for deleting what this browser keeps of it. */

/** What leaving means now. `mayLeave` is false if there is nothing to leave. */
export function leaveWords(stage: Stage): { readonly sentence: string; readonly mayLeave: boolean } {
  if (stage === "left") return { sentence: "You have left. Nothing is sent.", mayLeave: false };
  return {
    sentence: "Stop now. If you are in the middle of a round, the others finish without you.",
    mayLeave: stage !== "consent",
  };
}

/** Deleting, from the offer to its result. @param many  What the examples are called: "drawings". */
export function deleteWords(many: string) {
  return {
    offer: `Remove ${many}, keys and receipts from this browser. Sums you were in stay as they are.`,
    question: `Your ${many}, keys, receipts and what you agreed to will be gone from this browser. This cannot be undone.`,
    done: "Removed. This browser no longer knows anything about the task.",
  } as const;
}
