import type { VerifierKey } from "#shared/tlog/note.ts";

/** A witness of the public log that this coordinator asks. */
export interface WitnessPort {
  readonly key: VerifierKey;
  /** Asks it to sign a checkpoint (`shared/tlog/add-checkpoint.ts`). Bounded in time and bytes; never rejects. */
  addCheckpoint(body: string): Promise<WitnessReply>;
}

export type WitnessReply =
  /** @param mediaType  Without parameters; "" if it says none. */
  | { readonly type: "answer"; readonly status: number; readonly mediaType: string; readonly text: string }
  | { readonly type: "no-answer" };

/** How a witness and the log stand to one another. */
export interface WitnessState {
  readonly key: VerifierKey;
  /** The newest checkpoint that it signed; null if it has signed none that is known here. */
  readonly signed: {
    readonly size: number;
    /** Seconds since 1970, by the witness. */
    readonly timeS: number;
  } | null;
  /** Null while it answers, and until it was asked first. */
  readonly trouble: WitnessTrouble | null;
}

export type WitnessTrouble =
  /** It does not answer, or not with what a witness answers. */
  | "no-answer"
  /** It does not follow this log, or has not got its key. */
  | "unknown-log"
  /** It signed another tree of this log before: another history, or entries that this log has lost. */
  | "other-history";
