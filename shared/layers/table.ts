import { z } from "zod";
import { present } from "../kernel/assert.ts";
import type { Activation } from "./activations/activation.ts";
import { activationNamed } from "./activations/table.ts";
import type { Layer } from "./layer.ts";
import { LAYERS } from "./list.ts";
import { layerRefusal } from "./refused.ts";

type Schemas<List extends readonly { readonly schema: unknown }[]> = {
  -readonly [Index in keyof List]: List[Index]["schema"];
};
const schemas = LAYERS.map(({ schema }) => schema) as unknown as Schemas<typeof LAYERS>;

/** One layer of a task's model. */
export const layerSpecSchema = z.discriminatedUnion("className", schemas, {
  error: ({ code, input }) =>
    code === "invalid_union" ? (layerRefusal(classNameOf(input)) ?? undefined) : undefined,
});

function classNameOf(input: unknown): string {
  const named = typeof input === "object" && input !== null && "className" in input ? input.className : null;
  return typeof named === "string" ? named : "";
}

export type LayerSpec = z.output<typeof layerSpecSchema>;

const layerByClassName: ReadonlyMap<string, Layer> = new Map(
  LAYERS.map((entry) => [entry.schema.shape.className.value, entry]),
);

/** The code of a spec's layer. */
export function layerOf({ className }: LayerSpec): Layer {
  return present(layerByClassName.get(className), `no layer ${className}`);
}

/** The activation of a layer; `linear` if its spec names none. */
export function activationOf(spec: LayerSpec): Activation {
  return activationNamed("activation" in spec ? spec.activation : "linear");
}
