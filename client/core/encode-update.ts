import { type Ring, segmentOf } from "#shared/codec/layout.ts";
import { encodeContribution } from "#shared/codec/quantize.ts";
import { rotationKey } from "#shared/codec/rotation.ts";
import { assert } from "#shared/kernel/assert.ts";
import { layoutOf } from "#shared/task/agreed-config.ts";
import type { Task } from "#shared/task/task.ts";
import type { ClientPorts, Trained } from "./ports.ts";

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
  { runId, round }: { readonly runId: string; readonly round: number },
  trained: Trained,
): Promise<EncodedUpdate> {
  const layout = layoutOf(task);
  const { delta: update, numExamples, before: metricsBefore, after: metricsAfter } = trained;
  const contribution = { update, numExamples, metricsBefore, metricsAfter };
  const rotation = await rotationKey(primitives, runId, round);
  const encoded = await encodeContribution(primitives, layout, contribution, random(32), rotation);
  assert(encoded.ok, "an update is checked before the device advertises");
  const { words, clippedUpdate, weight } = encoded.value;
  const { length, ring, clip } = segmentOf(layout, "update");
  const share = weight / task.aggregation.weightCap;
  return {
    words,
    clippedUpdate,
    weight,
    updateLength: length,
    ring,
    unit: clip.coordinate / (clip.quantizedMax * share),
  };
}
