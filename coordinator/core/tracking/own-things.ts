import type { Exported, ModelRegistry, Rounds } from "../coordinator.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { createOwnFiles } from "./own-files.ts";
import { createOwnModels, createOwnVersions } from "./own-models.ts";
import type { OwnThings } from "./tracking.ts";

/** Models and files of tasks, from the coordinator's own registry. */
export function createOwnThings(
  ports: Pick<CoordinatorPorts, "store" | "clock" | "primitives">,
  {
    registry,
    exports,
    rounds,
  }: { readonly registry: ModelRegistry; readonly exports: Exported; readonly rounds: Rounds },
): OwnThings {
  return {
    models: createOwnModels(ports, registry),
    versions: createOwnVersions(ports, registry),
    files: createOwnFiles(ports, { exports, rounds }),
  };
}
