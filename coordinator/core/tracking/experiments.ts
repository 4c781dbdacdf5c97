import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { EXPERIMENTS } from "#shared/tracking/search-text.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { Entry, TrackingDocument } from "../ports/tracking-store.ts";
import { entryOf, withEntry, withoutEntry } from "./entries.ts";
import { type FoundPage, readSearch, type SearchText, searchIn } from "./pages.ts";
import { refused } from "./refusals.ts";
import type { Turns } from "./turns.ts";

/** Every project has this one, whether or not anything is in it. */
export const DEFAULT_EXPERIMENT = "0";

export interface Experiment {
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly isDeleted: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Entry[];
  /** The task whose runs it has; null for one that people made. */
  readonly task: string | null;
}

export type Shows = "active" | "deleted" | "all";

/** What a project's experiments are. Rule L1. */
export class Experiments {
  readonly #ports: Pick<CoordinatorPorts, "store" | "wall">;
  readonly #turns: Turns;

  constructor(ports: Pick<CoordinatorPorts, "store" | "wall">, turns: Turns) {
    this.#ports = ports;
    this.#turns = turns;
  }

  /** Errors: BAD_REQUEST, CONFLICT if the name is taken. */
  create(
    projectId: string,
    {
      name,
      artifactLocation,
      tags,
    }: Pick<Experiment, "name" | "tags"> & { readonly artifactLocation: string },
  ): Promise<Result<string, WireError>> {
    return this.#turns.run(projectId, async () => {
      const taken = await this.#named(projectId, name);
      if (taken !== null) return nameTaken(taken);
      const experimentId = String(await this.#ports.store.nextExperimentNumber(projectId));
      const now = this.#ports.wall.nowUnixMs();
      await this.#put(projectId, {
        experimentId,
        name,
        artifactLocation: artifactLocation === "" ? `mlflow-artifacts:/${experimentId}` : artifactLocation,
        isDeleted: false,
        createdAt: now,
        updatedAt: now,
        tags: [...new Map(tags.map((tag) => [tag.key, tag])).values()],
        task: null,
      });
      return ok(experimentId);
    });
  }

  /** Errors: NOT_FOUND. */
  async get(projectId: string, experimentId: string): Promise<Result<Experiment, WireError>> {
    const document = await this.#ports.store.findDocument(projectId, "experiment", experimentId);
    if (document !== null) return ok(experimentOf(document));
    if (experimentId === DEFAULT_EXPERIMENT) return ok(defaultExperiment());
    return refused("NOT_FOUND", `No Experiment with id=${experimentId} exists.`);
  }

  /** Errors: NOT_FOUND. */
  async byName(projectId: string, name: string): Promise<Result<Experiment, WireError>> {
    const experiment = await this.#named(projectId, name);
    return experiment === null
      ? refused("NOT_FOUND", `Could not find experiment with name '${name}'.`)
      : ok(experiment);
  }

  /** The newest first, unless it says otherwise. Errors: BAD_REQUEST. */
  async search(
    projectId: string,
    text: SearchText,
    shows: Shows,
  ): Promise<Result<FoundPage<Experiment>, WireError>> {
    const search = readSearch(text, EXPERIMENTS);
    if (!search.ok) return search;
    const all = await this.all(projectId);
    const shown = all.filter(({ isDeleted }) => shows === "all" || isDeleted === (shows === "deleted"));
    const newestFirst = shown.sort(
      (left, right) =>
        right.createdAt - left.createdAt || Number(right.experimentId) - Number(left.experimentId),
    );
    return ok(searchIn(newestFirst, search.value, searchable));
  }

  async all(projectId: string): Promise<Experiment[]> {
    const documents = await this.#ports.store.listDocuments(projectId, "experiment");
    const experiments = documents.map(experimentOf);
    const hasDefault = experiments.some(({ experimentId }) => experimentId === DEFAULT_EXPERIMENT);
    return hasDefault ? experiments : [...experiments, defaultExperiment()];
  }

  /** Errors: NOT_FOUND, BAD_REQUEST if it is deleted, CONFLICT if the name is taken, STATE for a task's. */
  rename(projectId: string, experimentId: string, name: string): Promise<Result<void, WireError>> {
    return this.#change(projectId, experimentId, async (experiment) => {
      if (experiment.isDeleted) return refused("BAD_REQUEST", "Cannot rename a non-active experiment.");
      if (experiment.task !== null) return refused("STATE", OF_TASK);
      const taken = await this.#named(projectId, name);
      if (taken !== null && taken.experimentId !== experimentId) return nameTaken(taken);
      return ok({ name });
    });
  }

  /** Errors: NOT_FOUND; STATE for the default one and a task's; BAD_REQUEST if it is as asked already. */
  setDeleted(projectId: string, experimentId: string, isDeleted: boolean): Promise<Result<void, WireError>> {
    return this.#change(projectId, experimentId, async (experiment) => {
      if (experimentId === DEFAULT_EXPERIMENT)
        return refused("BAD_REQUEST", "The default experiment cannot be deleted.");
      if (experiment.task !== null) return refused("STATE", OF_TASK);
      if (experiment.isDeleted === isDeleted)
        return refused("NOT_FOUND", `No Experiment with id=${experimentId} exists in that state.`);
      return ok({ isDeleted });
    });
  }

  /** Errors: NOT_FOUND, BAD_REQUEST if it is deleted. */
  setTag(projectId: string, experimentId: string, tag: Entry): Promise<Result<void, WireError>> {
    return this.#change(projectId, experimentId, async ({ tags, isDeleted }) =>
      isDeleted ? deletedExperiment(experimentId) : ok({ tags: withEntry(tags, tag) }),
    );
  }

  /** Errors: NOT_FOUND, also without that tag. */
  deleteTag(projectId: string, experimentId: string, key: string): Promise<Result<void, WireError>> {
    return this.#change(projectId, experimentId, async ({ tags }) =>
      entryOf(tags, key) === undefined
        ? refused("NOT_FOUND", `No tag with name: ${key} in experiment with id ${experimentId}.`)
        : ok({ tags: withoutEntry(tags, key) }),
    );
  }

  #change(
    projectId: string,
    experimentId: string,
    change: (experiment: Experiment) => Promise<Result<Partial<Experiment>, WireError>>,
  ): Promise<Result<void, WireError>> {
    return this.#turns.run(projectId, async () => {
      const experiment = await this.get(projectId, experimentId);
      if (!experiment.ok) return experiment;
      const changes = await change(experiment.value);
      if (!changes.ok) return changes;
      const updatedAt = this.#ports.wall.nowUnixMs();
      await this.#put(projectId, { ...experiment.value, ...changes.value, updatedAt });
      return ok(undefined);
    });
  }

  async #named(projectId: string, name: string): Promise<Experiment | null> {
    const [document] = await this.#ports.store.listDocuments(projectId, "experiment", name);
    if (document !== undefined) return experimentOf(document);
    if (name !== defaultExperiment().name) return null;
    const stored = await this.get(projectId, DEFAULT_EXPERIMENT);
    return stored.ok && stored.value.name === name ? stored.value : null;
  }

  #put(projectId: string, experiment: Experiment): Promise<void> {
    const { experimentId: id, name } = experiment;
    return this.#ports.store.putDocument(projectId, "experiment", { id, name, body: experiment });
  }
}

const OF_TASK = "This experiment holds the runs of a task. It is named and kept as its task is.";

export function deletedExperiment(experimentId: string): Result<never, WireError> {
  return refused(
    "BAD_REQUEST",
    `The experiment ${experimentId} must be in the 'active' state. Current state is deleted.`,
  );
}

function nameTaken({ name, isDeleted }: Experiment): Result<never, WireError> {
  const sentence = isDeleted
    ? `Experiment(name=${name}) already exists in deleted state. Restore it, or use another name.`
    : `Experiment(name=${name}) already exists.`;
  return refused("CONFLICT", sentence);
}

function defaultExperiment(): Experiment {
  return {
    experimentId: DEFAULT_EXPERIMENT,
    name: "Default",
    artifactLocation: `mlflow-artifacts:/${DEFAULT_EXPERIMENT}`,
    isDeleted: false,
    createdAt: 0,
    updatedAt: 0,
    tags: [],
    task: null,
  };
}

/** Written by this class, or by the store beside a run of a task. */
function experimentOf({ body }: TrackingDocument): Experiment {
  return body as Experiment;
}

function searchable(experiment: Experiment) {
  const { experimentId, name, createdAt, updatedAt, tags } = experiment;
  const attributes: Readonly<Record<string, string | number>> = {
    experiment_id: experimentId,
    name,
    creation_time: createdAt,
    last_update_time: updatedAt,
  };
  return {
    attribute: (key: string) => attributes[key],
    metric: () => undefined,
    param: () => undefined,
    tag: (key: string) => entryOf(tags, key),
  };
}
