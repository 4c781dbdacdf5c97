import { err, type Result } from "#shared/kernel/result.ts";
import { type ErrorCode, finalError, type WireError } from "#shared/protocol/errors.ts";

/** A refusal that the same request will always get. */
export function refused(code: ErrorCode, sentence: string): Result<never, WireError> {
  return err(finalError(code, sentence));
}

export const RUN_IS_OWN =
  "Chorus itself writes this run. It takes tags of your own; nothing else of it changes.";
