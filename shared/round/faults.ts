import type { ErrorCode } from "../protocol/errors.ts";

/** What was wrong with a round that was given up or discarded, as a clause. */
export const ROUND_FAULTS: Partial<Record<ErrorCode, string>> = {
  COHORT_TOO_SMALL: "too few devices came",
  U2_BELOW_T: "too few devices shared keys",
  U3_BELOW_T: "too few masked updates arrived",
  NOT_ENOUGH_SIGS: "too few devices confirmed the same list",
  COMPLAINT: "a device reported a share that did not open",
  BELOW_T: "too few shares arrived to open the sum",
  BAD_B: "a rebuilt self mask was not the announced one",
  BAD_S: "a rebuilt pair key was not the announced one",
  SENTINEL: "the check numbers of the sum were wrong",
  RANGE: "the sum lay outside its possible range",
  INPUT_DAMAGED: "the coordinator's disk damaged a stored update",
  RESTARTED: "the coordinator restarted",
  INTERNAL: "the coordinator failed",
};

/** Of codes that say nothing about a round itself. */
const OTHERS: Partial<Record<ErrorCode, string>> = {
  ABORTED_BY_OPERATOR: "the run was stopped",
  TASK_ARCHIVED: "its task was archived",
  REPLAY: "its devices had already been through it",
  ALREADY_REVEALED: "its devices had already been through it",
};

/** ": too few devices came"; the code in parentheses if there are no words for it, nothing if it is not known. */
export function faultWords(code: ErrorCode | null): string {
  if (code === null) return "";
  const words = ROUND_FAULTS[code] ?? OTHERS[code];
  return words === undefined ? ` (${code})` : `: ${words}`;
}
