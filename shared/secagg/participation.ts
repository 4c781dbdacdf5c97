import { err, ok, type Result } from "../kernel/result.ts";

/*
 * Decides from a device's memory if it may take part again (PROTOCOL.md section 6). Pure: the caller stores the memory and
 * makes it durable before anything is sent.
 *
 * | rule                                   | without noise | with noise             |
 * | -------------------------------------- | ------------- | ---------------------- |
 * | (round, attempt) of a run rises        | always        | always                 |
 * | a model that it helped to open         | never again   | again, budget decides  |
 * | a model that it sent an input for      | same run only | again, budget decides  |
 * | one participation                      | each session  | each session           |
 *
 * Without noise, two sums that were opened for the same model could be subtracted. Noise bounds what that reveals.
 */
export interface Remembered {
  /** The newest round and attempt of the run. */
  readonly mark: { readonly round: number; readonly attempt: number } | null;
  /** The run for which this device sent an input for the model. */
  readonly usedBy: string | null;
  /** The session in which this device gave its shares for the model. */
  readonly revealedIn: string | null;
}

export interface Wanted {
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  /** True if inputs of this task carry noise. */
  readonly noised: boolean;
}

/** Checked before the training and before R0 of each attempt. Rule S10. */
export function mayAdvertise(
  remembered: Remembered,
  wanted: Wanted,
): Result<void, "REPLAY" | "ALREADY_REVEALED"> {
  const { mark } = remembered;
  const { round, attempt } = wanted;
  const rises = mark === null || round > mark.round || (round === mark.round && attempt > mark.attempt);
  return rises ? mayUse(remembered, wanted) : err("REPLAY");
}

/** Checked before R2. Rule S10. */
export function mayUse(
  { usedBy, revealedIn }: Pick<Remembered, "usedBy" | "revealedIn">,
  { runId, noised }: Pick<Wanted, "runId" | "noised">,
): Result<void, "REPLAY" | "ALREADY_REVEALED"> {
  if (noised) return ok(undefined);
  if (revealedIn !== null) return err("ALREADY_REVEALED");
  return usedBy === null || usedBy === runId ? ok(undefined) : err("REPLAY");
}
