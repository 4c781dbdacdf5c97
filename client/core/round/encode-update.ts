import { rotationKey } from "#shared/codec/rotation.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { Task } from "#shared/task/task.ts";
import { encodeContribution } from "#shared/vector/encode.ts";
import { placeOf } from "#shared/vector/layout.ts";
import type { Ring } from "#shared/vector/ring.ts";
import { update } from "#shared/vector/segments/update.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { ClientPorts, Trained } from "../ports.ts";

/** The one vector of a device's contribution, before masking. */
export interface EncodedUpdate {
  /** Words of the ring, all segments; masked in place afterwards. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Words of the update, which is the first segment; two coordinates a word on the 16-bit ring. */
  readonly updateLength: number;
  readonly ring: Ring;
  /** Change of a weight, or of a rotated coordinate, for one quantization step. */
  readonly unit: number;
  /** Before it was rotated and quantized: float32, clipped. */
  readonly clippedUpdate: Float32Array<ArrayBuffer>;
  /** What this device's rows count as, at most the cap. */
  readonly weight: number;
}

/** Encodes anew for each attempt: the rounding is drawn afresh. */
export async function encodeUpdate(
  { primitives, random }: Pick<ClientPorts, "primitives" | "random">,
  task: Task,
  invite: Pick<CoordinatorMessageOf<"invite">, "runId" | "round" | "roundParams">,
  trained: Trained,
): Promise<EncodedUpdate> {
  const { runId, round, roundParams } = invite;
  const layout = layoutOf(task, roundParams.purpose, roundParams);
  const { delta, numExamples, before: metricsBefore, after: metricsAfter } = trained;
  const contribution = { update: delta, numExamples, metricsBefore, metricsAfter };
  const encoded = await encodeContribution(layout, contribution, {
    primitives,
    roundingKey: random(32),
    rotationKey: await rotationKey(primitives, runId, round),
  });
  assert(encoded.ok, "an update is checked before the device advertises");
  const { words, kept } = encoded.value;
  const { length, ring, clip } = placeOf(layout, update);
  const counted = kept(weight);
  return {
    words,
    clippedUpdate: kept(update).clippedUpdate,
    weight: counted,
    updateLength: length,
    ring,
    unit: clip.coordinate / (clip.quantizedMax * (counted / clip.weightCap)),
  };
}
