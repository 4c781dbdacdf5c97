import type { RunState } from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import type { StoreRecord } from "../ports/ports.ts";

/**
 * Offers a round's model in the same transaction as the event that chooses it: after a crash in between,
 * another run could choose it too (R18). The initial model and models made by void steps are also versions.
 */
export function runRecords(fact: RunLaunched | RunEvent, before: RunState): StoreRecord[] {
  const { runId } = before.facts;
  if (fact.type === "launched" || "actor" in fact) return [leafOfAct(fact, before)];
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

/** What a person decided about a run. The event says who; a leaf names nobody (A11). */
function leafOfAct(
  fact: Extract<RunLaunched | RunEvent, { readonly actor: string }>,
  { facts: { runId, task, taskVersion, configHash, beginsWith } }: RunState,
): StoreRecord {
  const kind = LEAF_KINDS[fact.type];
  const launched = { runId, task, taskVersion, configHash, ...(beginsWith && { beginsWith }) };
  const body = fact.type === "launched" ? launched : { runId };
  return { type: "audit-leaf", kind, body: { version: 1, ...body }, actor: fact.actor };
}

const LEAF_KINDS = {
  launched: "run.launched",
  "pause-asked": "run.pauseAsked",
  "resume-asked": "run.resumeAsked",
  "stop-asked": "run.stopAsked",
  "archive-asked": "run.archiveAsked",
} as const;

/**
 * A model other than the parent was made from it by void steps. It has no version row because it belongs to
 * no ended round. Its leaf names the parent, so that the chain of models has no gap even before round 1
 * (R18).
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
