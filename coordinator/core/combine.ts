import {
  type DecodedSum,
  decodeSum,
  meanUpdate,
  updateScale,
  updateSumOf,
} from "#shared/codec/decode-sum.ts";
import { segmentOf } from "#shared/codec/layout.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import { rotationKey } from "#shared/codec/rotation.ts";
import { wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import type { CombineResult, VoidResult } from "#shared/round/event.ts";
import type { Unmasking } from "#shared/round/state.ts";
import { reconstructMasks } from "#shared/secagg/opening.ts";
import { strategyStateToBytes } from "#shared/strategy/state-bytes.ts";
import type { Strategy, StrategyState } from "#shared/strategy/strategy.ts";
import { shareMeasure } from "./measures.ts";
import { evaluateCentrally, loadStrategyState, loadWeights } from "./models.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { type Session, survivorsTree } from "./session.ts";
import type { RunTerms } from "./terms.ts";

export type CombinePorts = Pick<
  CoordinatorPorts,
  "primitives" | "folder" | "spool" | "blobs" | "store" | "evaluator" | "metrics" | "clock"
>;

/** The sum of the survivors' masked inputs, masks still on. */
export async function foldInputs(
  ports: CombinePorts,
  terms: RunTerms,
  sid: string,
  u3: readonly number[],
  signal: AbortSignal,
): Promise<Uint32Array<ArrayBuffer>> {
  const beganMs = ports.clock.nowMs();
  const paths = u3.map((position) => ports.spool.path(sid, position));
  const sum = await ports.folder.fold({ length: terms.layout.length, paths, masks: [] }, signal);
  ports.metrics.folded(4 * terms.layout.length * u3.length, (ports.clock.nowMs() - beganMs) / 1_000);
  return sum;
}

/**
 * From the shares to the next model: rebuild the masks, take them off the folded inputs, read the sum, step the
 * strategy, evaluate. Everything is stored under its hash before the result is returned, and the same shares and inputs
 * give the same result, so it can be done again after a crash. SECAGG section 9, COMBINE.
 *
 * @param strategyStateHash  Of the run, before this round; null at its beginning.
 * @param folded             What `foldInputs` gave; released where the masks come off.
 */
export async function combine(
  ports: CombinePorts,
  terms: RunTerms,
  session: Session,
  state: Unmasking,
  strategyStateHash: string | null,
  folded: Uint32Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<CombineResult> {
  const holders = [...state.responses.keys()];
  const [sets, openings] = [await session.sets(state), await session.openings(state, holders)];
  const masks = await reconstructMasks(ports.primitives, session.roster, sets, openings);
  if (!masks.ok) {
    const dealers = masks.error.code === "BELOW_T" ? [] : masks.error.dealers;
    const identities = dealers.map((position) => present(state.roster[position - 1], "a seat").identity);
    return { kind: "voided", code: masks.error.code, dealers: identities };
  }
  const { layout } = terms;
  const job = { length: layout.length, paths: [], initial: folded, masks: masks.value };
  const sum = await ports.folder.fold(job, signal);
  release(folded);
  for (const { key } of masks.value) key.fill(0);
  const decoded = decodeSum(layout, sum, state.u3.length);
  if (!decoded.ok) return voided(decoded.error.type === "sentinel" ? "SENTINEL" : "RANGE");
  const published = await publish(ports, terms, state, strategyStateHash, sum, decoded.value);
  release(sum);
  return published;
}

async function publish(
  ports: CombinePorts,
  terms: RunTerms,
  state: Unmasking,
  parentStateHash: string | null,
  sum: Uint32Array<ArrayBuffer>,
  decoded: DecodedSum,
): Promise<CombineResult> {
  const { strategy, layout, tensors } = terms;
  const before = await loadStrategyState(ports, terms, parentStateHash);
  const parent = await loadWeights(ports, terms, state.facts.parentModelHash);
  const { coordinateSum, weightSum, metrics } = decoded;
  const { runId, round } = state.facts;
  const rotation = await rotationKey(ports.primitives, runId, round);
  const updateSum = await updateSumOf(ports.primitives, layout, coordinateSum, rotation);
  const next = strategy.next(before, parent, { updateSum, weightSum, updateScale: updateScale(layout) });
  if (!next.model.every(Number.isFinite)) return voided("RANGE");

  const modelBytes = modelToBytes(tensors, next.model);
  const { accuracy, loss } = await evaluateCentrally(ports, terms, modelBytes);
  const modelHash = await ports.blobs.put(modelBytes);
  release(parent, next.model, modelBytes);
  const strategyStateHash = await putStrategyState(ports, strategy, next.state);
  const sumBytes = wordsToBytes(publishedWords(terms, sum, coordinateSum));
  const sumByteCount = sumBytes.length;
  const sumHash = await ports.blobs.put(sumBytes);
  const mean = meanUpdate(layout, updateSum, weightSum);
  const updateNormL2 = norm(mean);
  release(sumBytes, mean);
  const tree = await survivorsTree(ports, state.u3, state.inputs);
  return {
    kind: "committed",
    modelHash,
    strategyStateHash,
    sumHash,
    sumByteCount,
    weightSum,
    inputsRoot: bytesToHex(tree.root),
    metrics: {
      accuracy,
      loss,
      deviceAccuracyBefore: shareMeasure(metrics.before.correct, metrics.before.count),
      deviceAccuracyAfter: shareMeasure(metrics.after.correct, metrics.after.count),
      updateNormL2,
    },
  };
}

/** Null for a strategy without one. */
async function putStrategyState(
  ports: CombinePorts,
  strategy: Strategy,
  state: StrategyState,
): Promise<string | null> {
  const moments = Object.values(state);
  if (moments.length === 0) return null;
  const bytes = strategyStateToBytes(strategy, state);
  const hash = await ports.blobs.put(bytes);
  release(bytes, ...moments);
  return hash;
}

/** Update as signed words, weight and sentinels; a published total of evidence would give a suppressed group away. */
function publishedWords(
  { layout }: RunTerms,
  sum: Uint32Array,
  coordinateSum: Int32Array,
): Uint32Array<ArrayBuffer> {
  const others = (["weight", "sentinels"] as const).map((name) => {
    const { offset, length } = segmentOf(layout, name);
    return sum.subarray(offset, offset + length);
  });
  const parts = [coordinateSum, ...others];
  const words = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    words.set(part, offset);
    offset += part.length;
  }
  return words;
}

function norm(values: Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}

function voided(code: "SENTINEL" | "RANGE"): VoidResult {
  return { kind: "voided", code, dealers: [] };
}
