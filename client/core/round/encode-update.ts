import { rotationKey } from "#shared/codec/rotation.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { Task } from "#shared/task/task.ts";
import { encodeContribution } from "#shared/vector/encode.ts";
import { placeOf } from "#shared/vector/layout.ts";
import type { Place } from "#shared/vector/segment.ts";
import { update } from "#shared/vector/segments/update.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { ClientPorts, Trained } from "../ports.ts";

/** The vector of a device's contribution, before masking. */
export interface EncodedUpdate {
  /** Ring words of all segments; masked in place afterwards. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** The update's words; on the 16-bit ring each has two coordinates. */
  readonly place: Pick<Place, "offset" | "length" | "ring">;
  /** Change of a weight, or of a rotated coordinate, per quantization step. */
  readonly unit: number;
  /** The clipped float32 update, before rotation and quantization. */
  readonly clippedUpdate: Float32Array<ArrayBuffer>;
  /** The weight of this device's rows, at most the cap. */
  readonly weight: number;
}

/** Encodes anew for each attempt, with fresh random rounding. */
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
  const place = placeOf(layout, update);
  const { clip } = place;
  const counted = kept(weight);
  return {
    words,
    clippedUpdate: kept(update).clippedUpdate,
    weight: counted,
    place,
    unit: clip.coordinate / (clip.quantizedMax * (counted / clip.weightCap)),
  };
}
