import { canonicalJson, type Json } from "../codec/canonical-json.ts";
import { encodeSafetensors } from "../codec/safetensors.ts";
import type { Bytes } from "../kernel/bytes.ts";
import { modelTensors } from "../task/model.ts";
import type { ModelSource } from "./source.ts";

/**
 * The weights as safetensors, with what is needed to use them as metadata: `architecture` and `features` as JSON, and the
 * source's own. The model under its hash has no metadata, because the hash is that of the weights alone.
 */
export function safetensorsFile({ task, weights, metadata }: ModelSource): Bytes {
  const { model, features } = task;
  const tensors = modelTensors(model).tensors.map(
    ({ name, shape, offset, length }) =>
      [name, { shape, data: Float32Array.from(weights.subarray(offset, offset + length)) }] as const,
  );
  return encodeSafetensors({
    tensors: new Map(tensors),
    metadata: {
      ...metadata,
      architecture: canonicalJson(model as Json),
      features: canonicalJson(features as Json),
    },
  });
}
