import { elementCount } from "#shared/kernel/shape.ts";
import { layerOf } from "#shared/layers/table.ts";
import type { Features } from "#shared/task/features.ts";
import type { ModelSpec } from "#shared/task/model.ts";

/* The pages' words for a model and its layers. Each layer has its own. Pure. */

/** "Flatten, Dense 32, Dense 10". */
export function layersLine({ layers }: ModelSpec): string {
  return layers.map((layer) => layerOf(layer).words(layer).full).join(", ");
}

/** "64-32-10": the number of inputs, and the size of every layer that has one. */
export function sizesLine({ inputShape, layers }: ModelSpec): string {
  const sizes = layers.flatMap((layer) => layerOf(layer).words(layer).short ?? []);
  return [String(elementCount(inputShape)), ...sizes].join("-");
}

/** Which model answers, and what happens to the input. */
export function modelNote(model: { round: number | null }, { kind }: Pick<Features, "kind">): string {
  const name = model.round === null ? "The newest model of the run" : `The model of round ${model.round}`;
  return `${name}, in this browser, also offline. What you ${kind === "image" ? "draw" : "enter"} here is not sent and not trained on.`;
}
