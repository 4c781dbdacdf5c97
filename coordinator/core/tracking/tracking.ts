import type { CoordinatorPorts } from "../ports/ports.ts";
import { Artifacts, type OwnFiles } from "./artifacts.ts";
import { Experiments } from "./experiments.ts";
import { Histories } from "./histories.ts";
import { LoggedModels } from "./logged-models.ts";
import { ModelVersions, type OwnVersions } from "./model-versions.ts";
import { type OwnModels, RegisteredModels } from "./registered-models.ts";
import { TrackedRuns } from "./runs.ts";
import { Turns } from "./turns.ts";

/** What MLflow's clients read and write, by subject. Every call names its project. */
export interface Tracking {
  readonly experiments: Experiments;
  readonly runs: TrackedRuns;
  readonly histories: Histories;
  readonly loggedModels: LoggedModels;
  readonly models: RegisteredModels;
  readonly versions: ModelVersions;
  readonly artifacts: Artifacts;
}

/** What the coordinator itself has made, as MLflow's clients see it. */
export interface OwnThings {
  readonly models: OwnModels;
  readonly versions: OwnVersions;
  readonly files: OwnFiles;
}

export function createTracking(
  ports: Pick<CoordinatorPorts, "store" | "wall" | "random" | "blobs" | "disk">,
  own: OwnThings,
): Tracking {
  const turns = new Turns();
  const experiments = new Experiments(ports, turns);
  const models = new RegisteredModels(ports, own.models, turns);
  const loggedModels = new LoggedModels(ports, experiments, turns);
  const runs = new TrackedRuns(ports, experiments, turns);
  return {
    experiments,
    runs,
    histories: new Histories(runs),
    loggedModels,
    models,
    versions: new ModelVersions(ports, { models, loggedModels, own: own.versions, turns }),
    artifacts: new Artifacts(ports, own.files),
  };
}
