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
  | "OPENING_SEAL"
  | "OPENING_SIGNATURE"
  | "TOO_FEW_SHARES"
  | "SECRET"
  | "CHUNK"
  | "SUM"
  | "EVIDENCE"
  | "RANGE"
  | "STRATEGY_STATE"
  | "MODEL"
  | "NOT_KEPT";

export type Checked<T> = Result<T, Fault>;

export function fault(code: FaultCode, sentence: string): { readonly ok: false; readonly error: Fault } {
  return { ok: false, error: { code, sentence } };
}
