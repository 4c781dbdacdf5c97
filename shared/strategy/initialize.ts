import type { TensorLayout } from "../codec/tensors.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { keystreamWords } from "../crypto/mask-stream.ts";
import { assert, unreachable } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { Initializer, TensorSpec } from "../layers/initializer.ts";

/**
 * The model before the first round, derived from the run's seed. It is the same on every machine.
 *
 * Each tensor names its initializer. Weight i uses word i of the AES-256-CTR stream under
 * SHA-256(E("chorus/1/initial-model", seed)), so any tensor can be computed alone.
 *
 * @param seed  32 bytes.
 * @returns Flat weights, [parameterCount].
 */
export async function initialModel(
  primitives: Primitives,
  layout: TensorLayout<TensorSpec>,
  seed: Bytes,
): Promise<Float32Array<ArrayBuffer>> {
  assert(seed.length === 32, "a seed has 32 bytes");
  const key = await primitives.sha256(E(DOMAINS.initialModel, seed));
  const weights = new Float32Array(layout.parameterCount);
  for (const { initializer, offset, length } of layout.tensors) {
    if (initializer.kind === "ones") weights.fill(1, offset, offset + length);
    const limit = limitOf(initializer);
    if (limit === 0) continue;
    const words = await keystreamWords(primitives, key, offset, length);
    for (let i = 0; i < length; i++) {
      weights[offset + i] = Math.fround((words[i]! * 2 ** -31 - 1) * limit); // hot loop
    }
  }
  return weights;
}

/** Initial weights are uniform between minus and plus this limit. It is 0 for a tensor of one number. */
function limitOf(initializer: Initializer): number {
  switch (initializer.kind) {
    case "zeros":
    case "ones":
      return 0;
    case "glorot-uniform":
      return Math.sqrt(6 / (initializer.fanIn + initializer.fanOut));
    default:
      return unreachable(initializer);
  }
}
