import { present } from "#shared/kernel/assert.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RunState } from "#shared/round/run.ts";
import type { RoundEnded } from "#shared/round/run-event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { isSharded } from "#shared/task/graph-plan.ts";
import { putVoidStep } from "./models.ts";
import { FileLost } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";
import type { RunTerms } from "./terms.ts";

type EndedRound = Extract<RoundState, { readonly phase: "committed" | "voided" | "failed" }>;

/**
 * What a run writes down of a round that has ended; after a voided one the void step is stored already.
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
      // A round that an earlier version committed has its figures.
      const { measures } = metrics;
      return {
        ...base,
        outcome: "committed",
        code: null,
        modelHash,
        strategyStateHash,
        ...(measures && { measures }),
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

/** Of a round that was announced and, since its run stops, never opened. */
export function neverOpened(run: RunState): RoundEnded {
  const { round, modelHash, strategyStateHash, forbiddenPairs, removed } = run;
  return {
    type: "round-ended",
    round,
    outcome: "failed",
    code: "ABORTED_BY_OPERATOR",
    seconds: 0,
    modelHash: present(modelHash, "a running run has a model"),
    ...{ strategyStateHash, forbiddenPairs, removed },
  };
}

/** A run that stops needs no step from a model that is lost: no round follows. */
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
 * Whether too few devices stood in the recruiting. If enough stood there and could not sit together, the round counts as
 * failed: the next one would fare no better (R17). With fewer than its goal a split round hangs on how chance fills its
 * shards, and the next one draws anew.
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
