import type { ModelSpec } from "../task/model.ts";

/** A model as the document that `importModel` reads and tfjs loads: indented JSON of a Sequential model, without weights. */
export function modelText({ inputShape, layers }: Pick<ModelSpec, "inputShape" | "layers">): string {
  const written = layers.map(({ className, ...fields }, index) => ({
    class_name: className,
    config: {
      ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [snakeCase(name), value])),
      ...(index === 0 && { batch_input_shape: [null, ...inputShape] }),
    },
  }));
  return JSON.stringify({ class_name: "Sequential", config: { name: "model", layers: written } }, null, 2);
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
