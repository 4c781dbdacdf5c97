import { present } from "../../kernel/assert.ts";
import { activationOf, type LayerSpec } from "../table.ts";
import { LOSSES } from "./list.ts";
import type { Loss } from "./loss.ts";

/** The loss that goes with the activation of a model's last layer; the task's schema allows only such activations there. */
export function lossOf({ layers }: { readonly layers: readonly LayerSpec[] }): Loss {
  const { name } = activationOf(present(layers.at(-1), "a model has layers"));
  return present(
    LOSSES.find((loss) => loss.activation === name),
    `no loss goes with ${name}`,
  );
}
