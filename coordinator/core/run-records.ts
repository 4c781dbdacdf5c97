import type { RunState } from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import type { StoreRecord } from "./ports.ts";

/**
 * A round's model is offered with the very event that chooses it: a crash between choice and offer would let another run
 * choose it too (R18). The initial model, and what a void step made of a model, are versions as well.
 */
export function runRecords(fact: RunLaunched | RunEvent, before: RunState): StoreRecord[] {
  const { runId } = before.facts;
  if (fact.type === "round-opened") return offerRecords(fact, before);
  if (fact.type === "started") {
    const { modelHash } = fact;
    const version = {
      runId,
      round: 0,
      modelHash,
      parentHash: null,
      strategyStateHash: null,
      metrics: null,
    };
    return [{ type: "model-version", version }];
  }
  if (fact.type === "round-ended" && fact.outcome === "voided") {
    const { round, modelHash, strategyStateHash } = fact;
    const version = {
      runId,
      round,
      modelHash,
      parentHash: before.modelHash,
      strategyStateHash,
      metrics: null,
    };
    return [{ type: "model-version", version }];
  }
  return [];
}

/**
 * A model that is not the parent is what void steps made of it; no version row has it, since it belongs to no round that
 * ended. Its leaf says what it came from, so that the line of models has no gap before round 1 either (R18).
 */
function offerRecords(
  { round, modelHash }: Extract<RunEvent, { readonly type: "round-opened" }>,
  { facts: { runId }, modelHash: parentHash }: RunState,
): StoreRecord[] {
  const offered: StoreRecord = { type: "model-offered", modelHash, runId };
  if (modelHash === parentHash) return [offered];
  const body = { version: 1, runId, round, modelHash, parentHash };
  return [offered, { type: "audit-leaf", kind: "model.void-stepped", body }];
}
