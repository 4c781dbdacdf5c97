import type { Bytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsError,
  safetensorsByteCount,
} from "./safetensors.ts";
import { flattenTensors, type TensorLayout } from "./tensors.ts";

/**
 * The bytes of a model: canonical safetensors without metadata. The hash depends on the weights alone, so everyone who
 * computes the next model computes the same modelHash.
 *
 * @param weights  Flat, in the order of the layout. [parameterCount]
 */
export function modelToBytes(layout: TensorLayout, weights: Float32Array<ArrayBuffer>): Bytes {
  const tensors = new Map(
    layout.tensors.map(({ name, shape, offset, length }) => [
      name,
      { shape, data: weights.subarray(offset, offset + length) },
    ]),
  );
  return encodeSafetensors({ tensors, metadata: {} });
}

/** How long the bytes of a model are. */
export function modelByteCount({ tensors }: TensorLayout): number {
  return safetensorsByteCount({
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    metadata: {},
  });
}

/** The flat weights. Errors: those of `decodeSafetensors`; `wrong-model` if the tensors do not match the layout. */
export function modelFromBytes(
  layout: TensorLayout,
  bytes: Bytes,
): Result<Float32Array<ArrayBuffer>, ModelBytesError> {
  const file = decodeSafetensors(bytes);
  if (!file.ok) return file;
  const { tensors } = file.value;
  const fits = layout.tensors.every(({ name, shape }) => tensors.get(name)?.shape.join() === shape.join());
  if (!fits || tensors.size !== layout.tensors.length) return err({ type: "wrong-model" });
  const dataByName = new Map([...tensors].map(([name, { data }]) => [name, data]));
  return ok(flattenTensors(layout, dataByName));
}

export type ModelBytesError = SafetensorsError | { readonly type: "wrong-model" };
