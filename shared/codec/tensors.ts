import { assert, present } from "../kernel/assert.ts";

/** A trainable tensor of a model. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A tensor's place in the flat vector of all weights; offset and length count weights. */
export type PlacedTensor<Spec extends TensorSpec = TensorSpec> = Spec & {
  readonly offset: number;
  readonly length: number;
};

/** The order of the model's tensors is the order of the flat vector; row-major inside. */
export interface TensorLayout<Spec extends TensorSpec = TensorSpec> {
  readonly tensors: readonly PlacedTensor<Spec>[];
  readonly parameterCount: number;
}

export function tensorLayout<Spec extends TensorSpec>(specs: readonly Spec[]): TensorLayout<Spec> {
  const tensors: PlacedTensor<Spec>[] = [];
  let offset = 0;
  for (const spec of specs) {
    const length = elementCount(spec.shape);
    tensors.push({ ...spec, offset, length });
    offset += length;
  }
  assert(new Set(tensors.map(({ name }) => name)).size === tensors.length, "tensor names differ");
  assert(Number.isSafeInteger(offset) && offset > 0, "a model has weights");
  return { tensors, parameterCount: offset };
}

/** The flat vector of a model, from its tensors by name. A copy. */
export function flattenTensors(
  layout: TensorLayout,
  dataByName: ReadonlyMap<string, Float32Array>,
): Float32Array<ArrayBuffer> {
  assert(dataByName.size === layout.tensors.length, "one array for each tensor");
  const flat = new Float32Array(layout.parameterCount);
  for (const { name, offset, length } of layout.tensors) {
    const data = present(dataByName.get(name), `no tensor ${name}`);
    assert(data.length === length, `${name} has ${data.length} elements, not ${length}`);
    flat.set(data, offset);
  }
  return flat;
}

/** Views into the flat vector, by name; nothing is copied. */
export function tensorViews(layout: TensorLayout, flat: Float32Array): Map<string, Float32Array> {
  assert(
    flat.length === layout.parameterCount,
    `${flat.length} weights for a model of ${layout.parameterCount}`,
  );
  return new Map(
    layout.tensors.map(({ name, offset, length }) => [name, flat.subarray(offset, offset + length)]),
  );
}

/** 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    assert(Number.isSafeInteger(size) && size >= 1, `a dimension of ${size}`);
    count *= size;
  }
  assert(Number.isSafeInteger(count), "a tensor that no memory holds");
  return count;
}
