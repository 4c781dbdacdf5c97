import type { Ops } from "../ops.ts";

/** A function that a layer applies to its output. Its derivative is written in terms of what it gave. */
export interface Activation<Name extends string = string> {
  readonly name: Name;
  forward<Tensor extends object>(ops: Ops<Tensor>, input: Tensor): Tensor;
  /** @param flow  Gradient of the loss by `output`. @returns the gradient by the activation's input. */
  inputGradient<Tensor extends object>(ops: Ops<Tensor>, output: Tensor, flow: Tensor): Tensor;
}

/** Keeps the name's literal type. */
export function activation<const Name extends string>(definition: Activation<Name>): Activation<Name> {
  return definition;
}
