import type { Result } from "../kernel/result.ts";

/** A failed check of an audited round. The code is for programs; the sentence names the exact place. */
export interface Fault {
  readonly code: FaultCode;
  readonly sentence: string;
}

export type FaultCode =
  | "TRANSCRIPT_HASH"
  | "TRANSCRIPT"
  | "TERMS"
  | "GROUPS"
  | "COUNTS"
  | "ROSTER"
  | "CERTIFICATE"
  | "ADVERT_SIGNATURE"
  | "SETS"
  | "BUNDLE_SIGNATURE"
  | "INPUT_SIGNATURE"
  | "CONFIRMATION_SIGNATURE"
  | "TOO_FEW_CONFIRMATIONS"
  | "INPUTS_ROOT"
  | "SUM_HASH"
  | "AUDITOR_KEY"
  | "OPENING_SEAL"
  | "OPENING_SIGNATURE"
  | "TOO_FEW_SHARES"
  | "SECRET"
  | "CHUNK"
  | "SUM"
  | "EVIDENCE"
  | "RANGE"
  /** What is served as the public log is not the one that devices agreed to. */
  | "LOG"
  /** A device signed a state of the log that the served log never had. */
  | "SPLIT_VIEW"
  | "PARENT"
  | "STRATEGY_STATE"
  | "MODEL"
  | "WITHHELD"
  | "NOT_KEPT"
  | "OLD_VERSION";

/**
 * The fault for a part that is not served although the transcript is. Otherwise a lying coordinator could refuse the one
 * chunk that proves the lie, and the odds of a draw would mean nothing.
 */
export function withheld(what: string): ReturnType<typeof fault> {
  return fault(
    "WITHHELD",
    `${what} is not served, although the transcript is. A newer round may have just replaced this one. Do not simply draw again: the odds would not hold for the second draw.`,
  );
}

export type Checked<T> = Result<T, Fault>;

export function fault(code: FaultCode, sentence: string): { readonly ok: false; readonly error: Fault } {
  return { ok: false, error: { code, sentence } };
}
