import { modelFromBytes, modelToBytes } from "../codec/model-bytes.ts";
import { bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { release } from "../kernel/release.ts";
import { ok } from "../kernel/result.ts";
import { strategyOf } from "../strategy/index.ts";
import { nextModel } from "../strategy/next-model.ts";
import { strategyStateFromBytes, strategyStateToBytes } from "../strategy/state-bytes.ts";
import { modelTensors } from "../task/model.ts";
import type { VectorLayout } from "../vector/layout.ts";
import { update } from "../vector/segments/update.ts";
import { weight } from "../vector/segments/weight.ts";
import type { SumOfShards } from "../vector/sum.ts";
import type { AuditSource, RoundClaims } from "./claims.ts";
import { type Checked, fault } from "./fault.ts";
import { fetchBlob } from "./fetch-blob.ts";

/** Checks that the next model and the strategy's state follow from the published sum, to the last bit. Rule A6. */
export async function checkModel(
  primitives: Primitives,
  claims: RoundClaims,
  layout: VectorLayout,
  sum: SumOfShards,
  source: Pick<AuditSource, "blob">,
  report: (line: string) => void,
): Promise<Checked<void>> {
  const { runId, round, parentStateHash, modelHash, strategyStateHash } = claims;
  const tensors = modelTensors(claims.task.model);
  const strategy = strategyOf(claims.strategy);
  const parentBytes = await fetchBlob(primitives, source, claims.parentModelHash);
  if (!parentBytes.ok) return parentBytes;
  const parent = modelFromBytes(tensors, parentBytes.value);
  if (!parent.ok) return fault("MODEL", `The round's model ${claims.parentModelHash} does not fit its task.`);
  let before = strategy.initialState(tensors.parameterCount);
  if (parentStateHash !== null) {
    const bytes = await fetchBlob(primitives, source, parentStateHash);
    if (!bytes.ok) return bytes;
    const state = strategyStateFromBytes(strategy, tensors.parameterCount, bytes.value);
    if (!state.ok) return fault("STRATEGY_STATE", `${parentStateHash} is not a state of ${strategy.name}.`);
    before = state.value;
  }
  const sums = { runId, round, coordinateSum: sum.read(update), weightSum: sum.read(weight) };
  const next = await nextModel(primitives, layout, strategy, before, parent.value, sums);
  release(parentBytes.value, parent.value);
  const made = bytesToHex(await primitives.sha256(modelToBytes(tensors, next.model)));
  if (made !== modelHash)
    return fault("MODEL", `The sum gives the model ${made}; the round published ${modelHash}.`);
  const hasState = Object.keys(next.state).length > 0;
  const state = hasState
    ? bytesToHex(await primitives.sha256(strategyStateToBytes(strategy, next.state)))
    : null;
  if (state !== strategyStateHash)
    return fault("STRATEGY_STATE", `The sum gives the state ${state}; the round kept ${strategyStateHash}.`);
  report(`Model ${made}: recomputed from the published sum by ${strategy.name}, identical to the last bit.`);
  return ok(undefined);
}
