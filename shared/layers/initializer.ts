/** How `initialModel` fills a tensor before the first round. */
export type Initializer =
  | { readonly kind: "zeros" }
  | { readonly kind: "ones" }
  /** Uniform within +-sqrt(6 / (fanIn + fanOut)). Source: Glorot and Bengio 2010, equation 16. */
  | { readonly kind: "glorot-uniform"; readonly fanIn: number; readonly fanOut: number };

/** A trainable tensor, row-major. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}

/** @param shape  [..., in, out]. The axes before these two are the window of a convolution. */
export function kernelTensor(shape: readonly number[]): TensorSpec {
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const fanIn = window * (shape.at(-2) ?? 1);
  const fanOut = window * (shape.at(-1) ?? 1);
  return { name: "kernel", shape, initializer: { kind: "glorot-uniform", fanIn, fanOut } };
}

export function biasTensor(length: number): TensorSpec {
  return { name: "bias", shape: [length], initializer: { kind: "zeros" } };
}
