import { assert, present } from "../kernel/assert.ts";
import { elementCount } from "../kernel/shape.ts";

/** A trainable tensor of a model. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A tensor and its place in the flat vector of all weights. Offset and length count weights. */
export type PlacedTensor<Spec extends TensorSpec = TensorSpec> = Spec & {
  readonly offset: number;
  readonly length: number;
};

/** Tensors in the order of the flat vector, each row-major. */
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

/** Copies a model's tensors into one flat vector. */
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
