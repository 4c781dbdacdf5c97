import type { TensorLayout } from "../codec/tensors.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { keystreamWords } from "../crypto/mask-stream.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/**
 * The model before the first round, from the run's seed: the same on every machine.
 *
 * Kernels (rank 2 and more) are Glorot uniform, biases zero. Weight i takes word i of the AES-256-CTR stream under
 * SHA-256(E("chorus/1/initial-model", seed)), so any tensor can be made alone.
 *
 * @param seed  32 bytes.
 * @returns Flat weights, [parameterCount].
 * Source: Glorot and Bengio 2010, equation 16: uniform on +-sqrt(6 / (fanIn + fanOut)).
 */
export async function initialModel(
  primitives: Primitives,
  layout: TensorLayout,
  seed: Bytes,
): Promise<Float32Array<ArrayBuffer>> {
  assert(seed.length === 32, "a seed has 32 bytes");
  const key = await primitives.sha256(E(DOMAINS.initialModel, seed));
  const weights = new Float32Array(layout.parameterCount);
  for (const { shape, offset, length } of layout.tensors) {
    if (shape.length < 2) continue;
    const limit = glorotLimit(shape);
    const words = await keystreamWords(primitives, key, offset, length);
    for (let i = 0; i < length; i++) {
      weights[offset + i] = Math.fround((words[i]! * 2 ** -31 - 1) * limit); // hot loop
    }
  }
  return weights;
}

/** Kernels are [..., in, out]; the axes before those two are the window of a convolution. */
function glorotLimit(shape: readonly number[]): number {
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const fanIn = window * (shape.at(-2) as number);
  const fanOut = window * (shape.at(-1) as number);
  return Math.sqrt(6 / (fanIn + fanOut));
}
