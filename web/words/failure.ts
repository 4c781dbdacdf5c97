import type { ErrorCode } from "#shared/protocol/errors.ts";

/* A request that failed, on every page. The error's own sentence comes from the coordinator or from the page's client. */

interface Failure {
  readonly code: ErrorCode | "NO_ANSWER" | "BAD_ANSWER";
  readonly retry: "now" | "later" | "never";
}

export interface FailureWords {
  readonly meaning: string | undefined;
  readonly code: Failure["code"] | undefined;
  readonly mayRetry: boolean;
}

/** @param failure  Null if this page failed by itself, for example while it read an answer. */
export function failureWords(failure: Failure | null): FailureWords {
  return {
    meaning:
      failure?.code === "NO_ANSWER"
        ? "Runs and devices are not affected; this page just cannot show them."
        : undefined,
    code: failure?.code,
    mayRetry: failure?.retry !== "never",
  };
}

/** The heading of a page without its subject. @param page  What the page shows: "run". */
export const cannotBeShown = (page: string): string => `This ${page} cannot be shown`;

/**
 * A call to this page's own participant that failed, in a sentence. Names of faults are the browser's.
 *
 * @param fault  As it was thrown; over a worker only its message is left.
 */
export function callFailure(fault: unknown): string {
  const text = fault instanceof Error ? `${fault.name} ${fault.message}` : String(fault);
  if (/quota|disk is full|no space/i.test(text))
    return "This browser has no room left for this page. Free some space on the device, then try again. What was stored before stays.";
  if (/NotReadable|could not be read|NotFoundError|permission problems/i.test(text))
    return "The file has changed, moved or become unreadable since it was chosen. Choose it again.";
  const reason = (fault instanceof Error ? fault.message : String(fault)).slice(0, 200);
  return `That did not work (${reason}). What was stored before stays. Try again, or reload the page.`;
}
