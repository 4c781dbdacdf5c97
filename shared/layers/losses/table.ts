import { present } from "../../kernel/assert.ts";
import { activationOf, type LayerSpec } from "../table.ts";
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";
import { huber, type NumberLoss, squared } from "./number-loss.ts";

/**
 * The loss of a model. Its last activation says what it answers; a number has a choice of losses.
 *
 * @param ofNumbers  Of the training plan. Default: squared.
 */
export function lossOf(
  { layers }: { readonly layers: readonly LayerSpec[] },
  ofNumbers: NumberLoss = { kind: "squared" },
): Loss {
  const { name } = activationOf(present(layers.at(-1), "a model has layers"));
  if (name === "softmax") return crossEntropy;
  if (name === "sigmoid") return binaryCrossEntropy;
  return ofNumbers.kind === "huber" ? huber(ofNumbers.delta) : squared;
}
