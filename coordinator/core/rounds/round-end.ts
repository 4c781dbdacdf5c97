import { isSharded } from "#shared/cohort/graph-plan.ts";
import { present } from "#shared/kernel/assert.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { EndPhase } from "#shared/round/phases.ts";
import type { RunState } from "#shared/round/run.ts";
import type { RoundEnded } from "#shared/round/run-event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { putVoidStep } from "../models/models.ts";
import { FileLost } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";

type EndedRound = Extract<RoundState, { readonly phase: EndPhase }>;

/**
 * What a run records of an ended round. For a voided round this also stores the void step's model.
 *
 * @param refusal  Why devices refuse this round, if many do. It says more than that too few were left.
 */
export async function roundEnd(
  ports: Pick<CoordinatorPorts, "blobs" | "store" | "models">,
  terms: RunTerms,
  run: RunState,
  state: EndedRound,
  refusal: ErrorCode | null,
): Promise<RoundEnded> {
  const { round, parentModelHash } = state.facts;
  const base = {
    type: "round-ended",
    round,
    seconds: state.nowMs / 1_000,
    forbiddenPairs: state.forbiddenPairs,
    removed: state.removed,
    strategyStateHash: run.strategyStateHash,
  } as const;
  switch (state.phase) {
    case "committed": {
      const { modelHash, strategyStateHash, metrics } = state.publication;
      // A round committed by an earlier version has its own figures.
      const { measures, deviceMeasures } = metrics;
      const hasRows = Object.keys(deviceMeasures.before).length > 0;
      return {
        ...base,
        outcome: "committed",
        code: null,
        modelHash,
        strategyStateHash,
        ...(measures && { measures }),
        ...(hasRows && { parentOnDevices: deviceMeasures.before }),
      };
    }
    case "voided": {
      const modelHash = await voidStepOf(ports, terms, run, state);
      return { ...base, outcome: "voided", code: state.code, modelHash };
    }
    case "failed":
      return {
        ...base,
        outcome: "failed",
        code: state.code === "ABORTED_BY_OPERATOR" ? state.code : (refusal ?? state.code),
        modelHash: parentModelHash,
        ...(isShortOfDevices(state) ? { shortOfDevices: true } : {}),
      };
  }
}

/** The end of a round that was announced but never opened, because its run is stopping. */
export function neverOpened(run: RunState): RoundEnded {
  const { round, modelHash, strategyStateHash, forbiddenPairs, removed } = run;
  return {
    type: "round-ended",
    round,
    outcome: "failed",
    code: "ABORTED_BY_OPERATOR",
    seconds: 0,
    modelHash: present(modelHash, "a running run has a model"),
    strategyStateHash,
    forbiddenPairs,
    removed,
  };
}

/** A stopping run does not need the void step of a lost model, because no round follows. */
async function voidStepOf(
  ports: Parameters<typeof putVoidStep>[0],
  terms: RunTerms,
  run: RunState,
  { facts: { parentModelHash, runId, round } }: EndedRound,
): Promise<string> {
  try {
    return await putVoidStep(ports, terms, parentModelHash, runId, round);
  } catch (error) {
    if (error instanceof FileLost && run.phase === "stopping") return parentModelHash;
    throw error;
  }
}

/**
 * Whether too few devices were recruited. If there were enough but they could not sit together, the round
 * counts as failed, because the next would fare no better (R17). A split round with fewer devices than its
 * goal depends on how chance fills its shards, and the next round draws again.
 */
function isShortOfDevices({
  code,
  members,
  facts,
}: Extract<EndedRound, { readonly phase: "failed" }>): boolean {
  if (code !== "COHORT_TOO_SMALL") return false;
  let present = 0;
  for (const { invited, connected, out } of members.values()) {
    if (invited) return false;
    if (connected && out === null) present += 1;
  }
  const { cohortSizeMin, goal, graph } = facts.rules;
  return present < (isSharded(graph) ? Math.max(cohortSizeMin, goal) : cohortSizeMin);
}
