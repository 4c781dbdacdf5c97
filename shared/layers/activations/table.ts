import { z } from "zod";
import { present } from "../../kernel/assert.ts";
import type { Activation } from "./activation.ts";
import { ACTIVATIONS } from "./list.ts";

export const activationSchema = z.enum(ACTIVATIONS.map(({ name }) => name));
export type ActivationName = z.output<typeof activationSchema>;

const activationByName: ReadonlyMap<string, Activation> = new Map(
  ACTIVATIONS.map((entry) => [entry.name, entry]),
);

export function activationNamed(name: ActivationName): Activation {
  return present(activationByName.get(name), `no activation ${name}`);
}
