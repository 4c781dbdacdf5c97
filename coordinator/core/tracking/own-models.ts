import { ok, type Result } from "#shared/kernel/result.ts";
import { type Alias, type FreeAlias, freeAliasSchema } from "#shared/protocol/aliases.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import type { ModelRegistry } from "../coordinator.ts";
import { everyItem } from "../ports/every-item.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { StoredTask } from "../ports/store.ts";
import type { Entry } from "../ports/tracking-store.ts";
import type { ModelVersion, OwnVersions } from "./model-versions.ts";
import { refused } from "./refusals.ts";
import type { OwnModels, RegisteredModel } from "./registered-models.ts";

type Registry = Pick<ModelRegistry, "listModels" | "model" | "aliases" | "moveAlias" | "promote">;
type Ports = Pick<CoordinatorPorts, "store">;

/** Where the files of a task's version are. */
export function ownStorage(slug: string, version: number): string {
  return `mlflow-artifacts:/chorus/${slug}/${version}`;
}

/** A project's tasks as registered models. Rule L7. */
export function createOwnModels({ store }: Ports, registry: Registry): OwnModels {
  const modelOf = async ({ task, createdAt }: StoredTask): Promise<RegisteredModel> => {
    const [{ items }, aliases] = await Promise.all([
      registry.listModels(task.slug, { limit: 1 }),
      registry.aliases(task.slug),
    ]);
    const [newest] = items;
    return {
      name: task.slug,
      description: `The task ${task.slug}: ${task.learns}`,
      createdAt,
      updatedAt: newest === undefined ? createdAt : Date.parse(newest.madeAt),
      tags: [{ key: "fl.task_id", value: task.slug }],
      aliases: aliases.flatMap(({ alias, version }) =>
        version === null ? [] : [{ key: alias, value: String(version) }],
      ),
      lastVersion: newest?.version ?? 0,
      isOwn: true,
    };
  };
  return {
    find: async (projectId, name) => {
      const stored = await store.showTask(name);
      return stored?.projectId === projectId ? modelOf(stored) : null;
    },
    list: async (projectId) => {
      const readable = { projects: [projectId], orPublic: false, archived: true };
      const tasks = await everyItem((page) => store.listTasks(readable, page));
      return Promise.all(tasks.map(modelOf));
    },
    setAlias: async (name, alias, version, actor) => {
      const expected = await holderOf(registry, name, alias as Alias);
      const to = Number(version);
      // To set an alias again changes nothing, as in MLflow.
      if (expected === to) return ok(undefined);
      if (alias === "champion") return done(await registry.promote(name, { version: to, expected }, actor));
      const free = freeOf(alias);
      return free.ok
        ? done(await registry.moveAlias(name, free.value, { version: to, expected }, actor))
        : free;
    },
    deleteAlias: async (name, alias, actor) => {
      const free = freeOf(alias);
      if (!free.ok) return free;
      const expected = await holderOf(registry, name, free.value);
      return done(await registry.moveAlias(name, free.value, { version: null, expected }, actor));
    },
  };
}

async function holderOf(registry: Registry, slug: string, alias: Alias): Promise<number | null> {
  return (await registry.aliases(slug)).find((held) => held.alias === alias)?.version ?? null;
}

function freeOf(alias: string): Result<FreeAlias, WireError> {
  const free = freeAliasSchema.safeParse(alias);
  if (free.success) return ok(free.data);
  return refused(
    "STATE",
    "Of a task's model, challenger and shadow move freely, champion moves to a version whose gates are open, and previous follows it. Use another model for other aliases.",
  );
}

function done(moved: Result<unknown, WireError>): Result<void, WireError> {
  return moved.ok ? ok(undefined) : moved;
}

/** The numbered models of a project's tasks as versions. */
export function createOwnVersions({ store }: Ports, registry: Registry): OwnVersions {
  const isOf = async (projectId: string, name: string) =>
    (await store.showTask(name))?.projectId === projectId;
  /** By task version. */
  const taskHashes = async (slug: string, models: readonly ModelVersionView[]) => {
    const versions = new Set(models.map(({ taskVersion }) => taskVersion));
    const tasks = await Promise.all([...versions].map((version) => store.showTask(slug, version)));
    return new Map(tasks.flatMap((found) => (found === null ? [] : [[found.task.version, found.taskHash]])));
  };
  return {
    has: isOf,
    list: async (projectId, name) => {
      if (!(await isOf(projectId, name))) return [];
      const models = await everyItem((page) => registry.listModels(name, page));
      const hashes = await taskHashes(name, models);
      return models.map((model) => versionOf(model, hashes.get(model.taskVersion) ?? null));
    },
    find: async (projectId, name, version) => {
      if (!/^[1-9]\d{0,8}$/.test(version) || !(await isOf(projectId, name))) return null;
      const model = await registry.model(name, Number(version));
      if (model === null) return null;
      const hashes = await taskHashes(name, [model]);
      return versionOf(model, hashes.get(model.taskVersion) ?? null);
    },
  };
}

function versionOf(model: ModelVersionView, taskHash: string | null): ModelVersion {
  const { task, version, madeAt, runId, round, runNumber } = model;
  const at = Date.parse(madeAt);
  const storage = ownStorage(task, version);
  return {
    name: task,
    version: String(version),
    createdAt: at,
    updatedAt: at,
    userId: "coordinator",
    stage: "None",
    description: `Round ${round} of run ${runNumber}`,
    source: storage,
    storage,
    runId,
    runLink: `/runs/${runId}`,
    modelId: "",
    tags: versionTags(model, taskHash),
  };
}

function versionTags(model: ModelVersionView, taskHash: string | null): readonly Entry[] {
  const { task, taskVersion, round, modelHash, parentModelHash, cohortSize, measures } = model;
  const facts: Readonly<Record<string, string | number | null>> = {
    "fl.task_id": task,
    "fl.task_version": taskVersion,
    // The task's text holds its columns, so other data gives another hash.
    "fl.schema_hash": taskHash,
    "fl.round": round,
    "fl.model_sha256": modelHash,
    "fl.parent_model_sha256": parentModelHash,
    "fl.cohort_size": cohortSize,
    "fl.secagg_protocol": "chorus/1",
  };
  const figures = Object.entries(measures ?? {}).map(
    ([name, { value }]) => [`fl.measure.${name}`, value] as const,
  );
  return [...Object.entries(facts), ...figures].flatMap(([key, value]) =>
    value === null ? [] : [{ key, value: String(value) }],
  );
}
