import type { Ops } from "../ops.ts";

/** A function that a layer applies to its output. Its derivative is computed from the function's result. */
export interface Activation<Name extends string = string> {
  readonly name: Name;
  forward<Tensor extends object>(ops: Ops<Tensor>, input: Tensor): Tensor;
  /** @param flow  Gradient of the loss by `output`. @returns The gradient by the activation's input. */
  inputGradient<Tensor extends object>(ops: Ops<Tensor>, output: Tensor, flow: Tensor): Tensor;
}

/** Keeps the literal type of the name. */
export function activation<const Name extends string>(definition: Activation<Name>): Activation<Name> {
  return definition;
}
