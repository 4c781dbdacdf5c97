import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { MODEL_VERSIONS } from "#shared/tracking/search-text.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { Entry, TrackingDocument } from "../ports/tracking-store.ts";
import { entryOf, withEntry } from "./entries.ts";
import { isPlainPath } from "./fields.ts";
import type { LoggedModels } from "./logged-models.ts";
import { earlierNote, type Noting, noteOf, noting, notingOwn, withNote } from "./notes.ts";
import { type FoundPage, readSearch, type SearchText, searchIn } from "./pages.ts";
import { refused } from "./refusals.ts";
import { ofTask, type RegisteredModel, type RegisteredModels, tagOfAll } from "./registered-models.ts";
import type { Turns } from "./turns.ts";

export const STAGES = ["None", "Staging", "Production", "Archived"] as const;
export type Stage = (typeof STAGES)[number];

/** One version of a registered model. It is ready once it is made. */
export interface ModelVersion {
  readonly name: string;
  /** Counts from 1. */
  readonly version: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly userId: string;
  readonly stage: Stage;
  readonly description: string;
  /** As it was given. */
  readonly source: string;
  /** Where its files are. */
  readonly storage: string;
  /** Empty if it belongs to none. */
  readonly runId: string;
  readonly runLink: string;
  readonly modelId: string;
  readonly tags: readonly Entry[];
}

export interface OwnVersions {
  /** Whether the project has such a task. Then no other versions have its name. */
  has(projectId: string, name: string): Promise<boolean>;
  /** Newest first; none if the project has no such task. */
  list(projectId: string, name: string): Promise<readonly ModelVersion[]>;
  find(projectId: string, name: string, version: string): Promise<ModelVersion | null>;
}

type Ports = Pick<CoordinatorPorts, "store" | "wall">;

interface Parts {
  readonly models: RegisteredModels;
  readonly loggedModels: LoggedModels;
  readonly own: OwnVersions;
  readonly turns: Turns;
}

/** Versions of registered models. Rules L1 and L7. */
export class ModelVersions {
  readonly #ports: Ports;
  readonly #parts: Parts;

  constructor(ports: Ports, parts: Parts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** Errors: NOT_FOUND for the model, STATE for a task's, BAD_REQUEST for its source. */
  async create(
    projectId: string,
    asked: Pick<ModelVersion, "name" | "source" | "runId" | "runLink" | "description" | "tags" | "userId"> & {
      readonly modelId: string;
    },
  ): Promise<Result<ModelVersion, WireError>> {
    const { models } = this.#parts;
    const place = await this.#placeOf(projectId, asked.source);
    if (!place.ok) return place;
    let made: ModelVersion | null = null;
    const changed = await models.change(projectId, asked.name, async (model) => {
      const number = model.lastVersion + 1;
      const now = this.#ports.wall.nowUnixMs();
      made = {
        ...asked,
        modelId: asked.modelId === "" ? place.value.modelId : asked.modelId,
        version: String(number),
        createdAt: now,
        updatedAt: now,
        stage: "None",
        storage: place.value.storage,
        tags: asked.tags.reduce(withEntry, [] as readonly Entry[]),
      };
      await this.#put(projectId, made);
      return ok({ lastVersion: number });
    });
    if (!changed.ok) return changed;
    return made === null ? refused("NOT_FOUND", "The version was not made.") : ok(made);
  }

  /** Errors: NOT_FOUND. */
  async get(projectId: string, name: string, version: string): Promise<Result<ModelVersion, WireError>> {
    const { store } = this.#ports;
    const id = idOf(name, version);
    const missing = () => refused("NOT_FOUND", `Model Version (name=${name}, version=${version}) not found.`);
    if (await this.#parts.own.has(projectId, name)) {
      const own = await this.#parts.own.find(projectId, name, version);
      if (own === null) return missing();
      return ok(withNote(own, await this.#noteOf(projectId, own)));
    }
    const document = await store.findDocument(projectId, "model-version", id);
    return document === null ? missing() : ok(document.body as ModelVersion);
  }

  async #noteOf(projectId: string, own: ModelVersion) {
    const { store } = this.#ports;
    const id = idOf(own.name, own.version);
    const note = noteOf(await store.findDocument(projectId, "version-note", id));
    return note ?? earlierOf(own, await store.findDocument(projectId, "model-version", id));
  }

  /** Errors: NOT_FOUND, BAD_REQUEST without that alias, as MLflow has it. */
  async byAlias(projectId: string, name: string, alias: string): Promise<Result<ModelVersion, WireError>> {
    const model = await this.#parts.models.get(projectId, name);
    if (!model.ok) return model;
    const version = entryOf(model.value.aliases, alias);
    if (version === undefined) return refused("BAD_REQUEST", `Registered model alias ${alias} not found.`);
    return this.get(projectId, name, version);
  }

  /** Last changed first, then by name and newest version, unless it says otherwise. Errors: BAD_REQUEST. */
  async search(projectId: string, text: SearchText): Promise<Result<FoundPage<ModelVersion>, WireError>> {
    const search = readSearch(text, MODEL_VERSIONS);
    if (!search.ok) return search;
    const named = search.value.conditions.find(
      ({ entity, key, comparator }) => entity === "attribute" && key === "name" && comparator === "=",
    );
    const all =
      named === undefined ? await this.#all(projectId) : await this.ofModel(projectId, String(named.value));
    const isOrdered = search.value.orderings.length > 0;
    return ok(searchIn([...all].sort(isOrdered ? byName : byNewest), search.value, searchable));
  }

  async #all(projectId: string): Promise<readonly ModelVersion[]> {
    const all: ModelVersion[] = [];
    for (const { name } of await this.#parts.models.all(projectId))
      all.push(...(await this.ofModel(projectId, name)));
    return all;
  }

  /** Newest first; none if there is no such model. */
  async ofModel(projectId: string, name: string): Promise<readonly ModelVersion[]> {
    const versions = (await this.#parts.own.has(projectId, name))
      ? await this.#ofTask(projectId, name)
      : (await this.#ports.store.listDocuments(projectId, "model-version", name)).map(
          ({ body }) => body as ModelVersion,
        );
    return [...versions].sort((left, right) => Number(right.version) - Number(left.version));
  }

  async #ofTask(projectId: string, name: string): Promise<readonly ModelVersion[]> {
    const [versions, documents, copies] = await Promise.all([
      this.#parts.own.list(projectId, name),
      this.#ports.store.listDocuments(projectId, "version-note", name),
      this.#ports.store.listDocuments(projectId, "model-version", name),
    ]);
    const notes = new Map(documents.map((document) => [document.id, noteOf(document)]));
    const copyById = new Map(copies.map((document) => [document.id, document]));
    return versions.map((own) => {
      const id = idOf(name, own.version);
      return withNote(own, notes.get(id) ?? earlierOf(own, copyById.get(id)));
    });
  }

  /** The newest version in each stage. Errors: NOT_FOUND. */
  async newestByStage(
    projectId: string,
    model: RegisteredModel,
    stages: readonly Stage[],
  ): Promise<readonly ModelVersion[]> {
    // Those of a task are in no stage, and there may be thousands.
    const own = model.isOwn ? await this.get(projectId, model.name, String(model.lastVersion)) : null;
    const versions = own === null ? await this.ofModel(projectId, model.name) : own.ok ? [own.value] : [];
    const newest = STAGES.map((stage) => versions.find((version) => version.stage === stage));
    return newest.filter((version) => version !== undefined).filter(({ stage }) => stages.includes(stage));
  }

  /** Errors: NOT_FOUND; for a task's FORBIDDEN if only Chorus writes that tag. */
  note(
    projectId: string,
    name: string,
    version: string,
    asked: Noting,
  ): Promise<Result<ModelVersion, WireError>> {
    return this.#parts.turns.run(projectId, async () => {
      const now = this.#ports.wall.nowUnixMs();
      const found = await this.get(projectId, name, version);
      if (!found.ok) return found;
      if (!(await this.#parts.own.has(projectId, name))) {
        const changed = noting(found.value, asked, now);
        await this.#put(projectId, changed);
        return ok(changed);
      }
      const { store } = this.#ports;
      const id = idOf(name, version);
      const own = await this.#parts.own.find(projectId, name, version);
      const note = notingOwn(own === null ? null : await this.#noteOf(projectId, own), asked, now);
      if (!note.ok) return note;
      await store.putDocument(projectId, "version-note", { id, name, body: note.value });
      return this.get(projectId, name, version);
    });
  }

  /** Errors: NOT_FOUND, STATE for a task's, which has aliases instead. */
  async setStage(
    projectId: string,
    name: string,
    version: string,
    { stage, archivesOthers }: { readonly stage: Stage; readonly archivesOthers: boolean },
  ): Promise<Result<ModelVersion, WireError>> {
    if (await this.#parts.own.has(projectId, name))
      return refused("STATE", `${name} is the model of a task. Move its aliases instead of stages.`);
    const changed = await this.#stage(projectId, name, version, stage);
    if (!changed.ok) return changed;
    // A stage is a fact of the model, too.
    await this.#parts.models.change(projectId, name, () => ok({}));
    if (!archivesOthers) return changed;
    for (const other of await this.ofModel(projectId, name))
      if (other.stage === stage && other.version !== version)
        await this.#stage(projectId, name, other.version, "Archived");
    return changed;
  }

  /** With the aliases that name it. Errors: NOT_FOUND, STATE for a task's. */
  async remove(projectId: string, name: string, version: string): Promise<Result<void, WireError>> {
    if (await this.#parts.own.has(projectId, name)) return ofTask(name);
    const found = await this.get(projectId, name, version);
    if (!found.ok) return found;
    const changed = await this.#parts.models.change(projectId, name, async ({ aliases }) => {
      await this.#ports.store.removeDocument(projectId, "model-version", idOf(name, version));
      return ok({ aliases: aliases.filter(({ value }) => value !== version) });
    });
    return changed.ok ? ok(undefined) : changed;
  }

  /** Where the files of a source are. */
  async #placeOf(
    projectId: string,
    source: string,
  ): Promise<Result<{ readonly storage: string; readonly modelId: string }, WireError>> {
    const [, modelId] = /^models:\/(m-[0-9a-f]{32})$/.exec(source) ?? [];
    if (modelId !== undefined) {
      const model = await this.#parts.loggedModels.get(projectId, modelId);
      return model.ok ? ok({ storage: model.value.artifactUri, modelId }) : model;
    }
    const [, name, version] = /^models:\/([^/@]+)\/(\d{1,9})$/.exec(source) ?? [];
    if (name !== undefined && version !== undefined) {
      const copied = await this.get(projectId, name, version);
      return copied.ok ? ok({ storage: copied.value.storage, modelId: copied.value.modelId }) : copied;
    }
    const refusal = sourceRefusal(source);
    return refusal === null ? ok({ storage: source, modelId: "" }) : refused("BAD_REQUEST", refusal);
  }

  #stage(
    projectId: string,
    name: string,
    version: string,
    stage: Stage,
  ): Promise<Result<ModelVersion, WireError>> {
    return this.#parts.turns.run(projectId, async () => {
      const found = await this.get(projectId, name, version);
      if (!found.ok) return found;
      const changed: ModelVersion = { ...found.value, stage, updatedAt: this.#ports.wall.nowUnixMs() };
      await this.#put(projectId, changed);
      return ok(changed);
    });
  }

  #put(projectId: string, version: ModelVersion): Promise<void> {
    const { name } = version;
    const id = idOf(name, version.version);
    return this.#ports.store.putDocument(projectId, "model-version", { id, name, body: version });
  }
}

/** As MLflow lists them. */
function byNewest(left: ModelVersion, right: ModelVersion): number {
  return right.updatedAt - left.updatedAt || byName(left, right);
}

function byName(left: ModelVersion, right: ModelVersion): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return Number(right.version) - Number(left.version);
}

/** The copy of a task's version that an earlier program kept for its notes. A version of somebody's has other files. */
function copyOf(own: ModelVersion, document: TrackingDocument | null | undefined): ModelVersion | null {
  const body = (document?.body ?? null) as ModelVersion | null;
  return body?.storage === own.storage ? body : null;
}

function earlierOf(own: ModelVersion, document: TrackingDocument | null | undefined) {
  return earlierNote(copyOf(own, document), own, (text) => /^Round \d+ of run \d+/.test(text));
}

function idOf(name: string, version: string): string {
  return `${name}/${version}`;
}

/** Why nothing may come from there, in the words of MLflow's own server; null if it may. */
function sourceRefusal(source: string): string | null {
  const shown = `Invalid model version source: '${source.slice(0, 200)}'.`;
  const decoded = decodedWhole(source);
  const [, written = "", rest = ""] = /^([a-z][a-z0-9+.-]*):\/*(.*)$/is.exec(decoded ?? "") ?? [];
  // RFC 3986, section 3.1: schemes are case-insensitive.
  const scheme = written.toLowerCase();
  if (decoded !== null && (scheme === "" || scheme === "file" || scheme.length === 1))
    return `${shown} To use a local path as a model version source is not possible here. Give the address of an artifact, such as mlflow-artifacts:/... or models:/...`;
  const parts = rest.split("/").filter((part) => part !== "");
  const isWhole = decoded !== null && !/\p{Cc}/u.test(rest) && isPlainPath(parts.join("/") || "root");
  return isWhole
    ? null
    : `${shown} If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present.`;
}

/** Null if it is encoded wrongly, or more often than anybody would by accident. */
function decodedWhole(text: string): string | null {
  let now = text;
  for (let round = 0; round < 10; round += 1) {
    let next: string;
    try {
      next = decodeURIComponent(now);
    } catch {
      return null;
    }
    if (next === now) return now;
    now = next;
  }
  return null;
}

function searchable(version: ModelVersion) {
  const attributes: Readonly<Record<string, string | number>> = {
    name: version.name,
    run_id: version.runId,
    source_path: version.source,
    version_number: Number(version.version),
    creation_timestamp: version.createdAt,
    last_updated_timestamp: version.updatedAt,
  };
  return {
    attribute: (key: string) => attributes[key],
    metric: () => undefined,
    param: () => undefined,
    tag: (key: string) => entryOf(version.tags, key) ?? tagOfAll(key),
  };
}
