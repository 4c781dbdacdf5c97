import type { Result } from "../kernel/result.ts";

/** What does not hold in a round that was looked at. The code is for programs, the sentence names the exact place. */
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
  | "PARENT"
  | "STRATEGY_STATE"
  | "MODEL"
  | "WITHHELD"
  | "NOT_KEPT"
  | "OLD_VERSION";

/**
 * What is not served although it belongs to something that was: a fault, for else a coordinator that lies would refuse
 * the one chunk that shows it, and the odds of a draw would say nothing.
 */
export function withheld(what: string): ReturnType<typeof fault> {
  return fault(
    "WITHHELD",
    `${what} is not served, although the transcript is. A newer round may have taken the place of this one just now; to draw again and believe that draw would void its odds.`,
  );
}

export type Checked<T> = Result<T, Fault>;

export function fault(code: FaultCode, sentence: string): { readonly ok: false; readonly error: Fault } {
  return { ok: false, error: { code, sentence } };
}
