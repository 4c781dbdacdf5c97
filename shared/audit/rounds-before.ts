import type { Primitives } from "../kernel/ports.ts";
import { roundIdOf } from "../secagg/attempt.ts";
import type { RoundsBefore, RoundWithoutModel } from "../transcript/claims.ts";
import type { RoundRecord, RunRecord } from "./record.ts";

/** Records of rounds and runs; null if there is none. */
export interface Records {
  round(roundId: string): Promise<RoundRecord | null>;
  run(runId: string): Promise<RunRecord | null>;
}

/** Reads a run's records back to the committed round before this one, or to the run's beginning. */
export async function roundsBefore(
  primitives: Primitives,
  records: Records,
  { runId, round }: Pick<RoundRecord, "runId" | "round">,
): Promise<RoundsBefore> {
  const since: RoundWithoutModel[] = [];
  for (let before = round - 1; before >= 1; before--) {
    const record = await records.round(await roundIdOf(primitives, runId, before));
    if (record === null || record.runId !== runId || record.round !== before)
      return { kind: "unknown", why: `the coordinator has no record of round ${before}.` };
    const { phase, modelHash, parentModelHash, transcript } = record;
    if (phase === "committed" && modelHash !== null) {
      const { strategyStateHash } = transcript ?? {};
      return { kind: "committed", round: before, modelHash, strategyStateHash, since };
    }
    if (phase !== "voided" && phase !== "failed")
      return { kind: "unknown", why: `round ${before} has not ended: its record says ${phase}.` };
    since.unshift({ round: before, phase, parentModelHash });
  }
  const run = await records.run(runId);
  if (run === null) return { kind: "unknown", why: "the coordinator has no record of the run." };
  return run.beginsWith === undefined
    ? { kind: "beginning", seed: run.seed, since }
    : { kind: "version", ...run.beginsWith, since };
}
