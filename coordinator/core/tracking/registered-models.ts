import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { REGISTERED_MODELS } from "#shared/tracking/search-text.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { Entry, TrackingDocument } from "../ports/tracking-store.ts";
import { entryOf, withEntry, withoutEntry } from "./entries.ts";
import { earlierNote, type Noting, noteOf, noting, notingOwn, withNote } from "./notes.ts";
import { type FoundPage, readSearch, type SearchText, searchIn } from "./pages.ts";
import { refused } from "./refusals.ts";
import type { Turns } from "./turns.ts";

/** A name under which versions of a model stand. */
export interface RegisteredModel {
  readonly name: string;
  readonly description: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Entry[];
  /** By alias: the number of a version. */
  readonly aliases: readonly Entry[];
  /** Number of the last version that was made; 0 without. */
  readonly lastVersion: number;
  /** Whether its versions are those of a task, which Chorus alone makes. */
  readonly isOwn: boolean;
}

/** The models of a project's tasks: windows onto what the coordinator's own registry has. */
export interface OwnModels {
  /** Null if the project has no such task. */
  find(projectId: string, name: string): Promise<RegisteredModel | null>;
  list(projectId: string): Promise<readonly RegisteredModel[]>;
  /** Errors: STATE if its gates are shut or the alias is not one to be moved; NOT_FOUND. */
  setAlias(name: string, alias: string, version: string, actor: string): Promise<Result<void, WireError>>;
  deleteAlias(name: string, alias: string, actor: string): Promise<Result<void, WireError>>;
}

/** Who moves an alias. */
interface Mover {
  readonly actor: string;
  /** Whether they may move those of a task's model: the permission `models.name`. */
  readonly mayNameOwn: boolean;
}

type Ports = Pick<CoordinatorPorts, "store" | "wall">;

/** Names of models, made by people or after a task. Rules L1 and L7. */
export class RegisteredModels {
  readonly #ports: Ports;
  readonly #own: OwnModels;
  readonly #turns: Turns;

  constructor(ports: Ports, own: OwnModels, turns: Turns) {
    this.#ports = ports;
    this.#own = own;
    this.#turns = turns;
  }

  /** Errors: CONFLICT if the name is taken. */
  create(
    projectId: string,
    { name, description, tags }: Pick<RegisteredModel, "name" | "description" | "tags">,
  ): Promise<Result<RegisteredModel, WireError>> {
    return this.#turns.run(projectId, async () => {
      if ((await this.get(projectId, name)).ok) return nameTaken(name);
      const now = this.#ports.wall.nowUnixMs();
      const model: RegisteredModel = {
        name,
        description,
        createdAt: now,
        updatedAt: now,
        tags: tags.reduce(withEntry, [] as readonly Entry[]),
        aliases: [],
        lastVersion: 0,
        isOwn: false,
      };
      await this.put(projectId, model);
      return ok(model);
    });
  }

  /** Errors: NOT_FOUND. */
  async get(projectId: string, name: string): Promise<Result<RegisteredModel, WireError>> {
    const { store } = this.#ports;
    const own = await this.#own.find(projectId, name);
    if (own !== null) return ok(withNote(own, await this.#noteOf(projectId, own)));
    const document = await store.findDocument(projectId, "registered-model", name);
    return document === null ? noModel(name) : ok(document.body as RegisteredModel);
  }

  async #noteOf(projectId: string, own: RegisteredModel) {
    const { store } = this.#ports;
    const note = noteOf(await store.findDocument(projectId, "model-note", own.name));
    return note ?? earlierOf(own, await store.findDocument(projectId, "registered-model", own.name));
  }

  /** By name, unless it says otherwise. Errors: BAD_REQUEST. */
  async search(projectId: string, text: SearchText): Promise<Result<FoundPage<RegisteredModel>, WireError>> {
    const search = readSearch(text, REGISTERED_MODELS);
    if (!search.ok) return search;
    const all = await this.all(projectId);
    return ok(searchIn(all, search.value, searchable));
  }

  /** By name. */
  async all(projectId: string): Promise<readonly RegisteredModel[]> {
    const { store } = this.#ports;
    const [documents, notes, ofTasks] = await Promise.all([
      store.listDocuments(projectId, "registered-model"),
      store.listDocuments(projectId, "model-note"),
      this.#own.list(projectId),
    ]);
    const byName = new Map(documents.map(({ id, body }) => [id, body as RegisteredModel]));
    const noteByName = new Map(notes.map((document) => [document.id, noteOf(document)]));
    for (const own of ofTasks) {
      const copy = documents.find(({ id }) => id === own.name);
      byName.set(own.name, withNote(own, noteByName.get(own.name) ?? earlierOf(own, copy)));
    }
    return [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Errors: NOT_FOUND; for a task's FORBIDDEN if only Chorus writes that tag. */
  note(projectId: string, name: string, asked: Noting): Promise<Result<RegisteredModel, WireError>> {
    return this.#turns.run(projectId, async () => {
      const now = this.#ports.wall.nowUnixMs();
      const model = await this.get(projectId, name);
      if (!model.ok) return model;
      if (!model.value.isOwn) {
        const changed = noting(model.value, asked, now);
        await this.put(projectId, changed);
        return ok(changed);
      }
      const { store } = this.#ports;
      const own = await this.#own.find(projectId, name);
      const note = notingOwn(own === null ? null : await this.#noteOf(projectId, own), asked, now);
      if (!note.ok) return note;
      await store.putDocument(projectId, "model-note", { id: name, name, body: note.value });
      return this.get(projectId, name);
    });
  }

  /** Errors: NOT_FOUND, for the version too; for a task's model FORBIDDEN and those of `OwnModels`. */
  async setAlias(
    projectId: string,
    name: string,
    { alias, version, actor, mayNameOwn }: Mover & { readonly alias: string; readonly version: string },
  ): Promise<Result<void, WireError>> {
    if ((await this.#own.find(projectId, name)) !== null)
      return mayNameOwn ? this.#own.setAlias(name, alias, version, actor) : refused("FORBIDDEN", NOT_TO_NAME);
    const changed = await this.change(projectId, name, async ({ aliases }) => {
      const document = await this.#ports.store.findDocument(projectId, "model-version", `${name}/${version}`);
      if (document === null)
        return refused("NOT_FOUND", `Model Version (name=${name}, version=${version}) not found.`);
      return ok({ aliases: withEntry(aliases, { key: alias, value: version }) });
    });
    return changed.ok ? ok(undefined) : changed;
  }

  /** Errors: NOT_FOUND; for a task's model FORBIDDEN and those of `OwnModels`. */
  async deleteAlias(
    projectId: string,
    name: string,
    { alias, actor, mayNameOwn }: Mover & { readonly alias: string },
  ): Promise<Result<void, WireError>> {
    if ((await this.#own.find(projectId, name)) !== null)
      return mayNameOwn ? this.#own.deleteAlias(name, alias, actor) : refused("FORBIDDEN", NOT_TO_NAME);
    const changed = await this.change(projectId, name, ({ aliases }) =>
      ok({ aliases: withoutEntry(aliases, alias) }),
    );
    return changed.ok ? ok(undefined) : changed;
  }

  /** Its versions go with the name. Errors: NOT_FOUND, STATE for a task's, CONFLICT if the new name is taken. */
  rename(projectId: string, name: string, newName: string): Promise<Result<RegisteredModel, WireError>> {
    return this.#turns.run(projectId, async () => {
      const model = await this.get(projectId, name);
      if (!model.ok) return model;
      if (model.value.isOwn) return ofTask(name);
      if (newName !== name && (await this.get(projectId, newName)).ok) return nameTaken(newName);
      const { store, wall } = this.#ports;
      const renamed = { ...model.value, name: newName, updatedAt: wall.nowUnixMs() };
      const versions = await store.listDocuments(projectId, "model-version", name);
      const moved = versions.map(({ body }) => {
        const version = body as { readonly version: string };
        const kept = { ...version, name: newName };
        return {
          kind: "model-version" as const,
          id: `${newName}/${version.version}`,
          name: newName,
          body: kept,
        };
      });
      await store.changeDocuments(projectId, {
        remove: [
          { kind: "registered-model", id: name },
          ...versions.map(({ id }) => ({ kind: "model-version" as const, id })),
        ],
        put: [{ kind: "registered-model", id: newName, name: newName, body: renamed }, ...moved],
      });
      return ok(renamed);
    });
  }

  /** With its versions. Errors: NOT_FOUND, STATE for a task's. */
  remove(projectId: string, name: string): Promise<Result<void, WireError>> {
    return this.#turns.run(projectId, async () => {
      const model = await this.get(projectId, name);
      if (!model.ok) return model;
      if (model.value.isOwn) return ofTask(name);
      const { store } = this.#ports;
      const versions = await store.listDocuments(projectId, "model-version", name);
      await store.changeDocuments(projectId, {
        remove: [
          { kind: "registered-model", id: name },
          ...versions.map(({ id }) => ({ kind: "model-version" as const, id })),
        ],
        put: [],
      });
      return ok(undefined);
    });
  }

  /** Errors: NOT_FOUND, STATE for a task's, and those of `change`. */
  change(
    projectId: string,
    name: string,
    change: (
      model: RegisteredModel,
    ) => Result<Partial<RegisteredModel>, WireError> | Promise<Result<Partial<RegisteredModel>, WireError>>,
  ): Promise<Result<RegisteredModel, WireError>> {
    return this.#turns.run(projectId, async () => {
      const model = await this.get(projectId, name);
      if (!model.ok) return model;
      if (model.value.isOwn) return ofTask(name);
      const changes = await change(model.value);
      if (!changes.ok) return changes;
      const changed = { ...model.value, ...changes.value, updatedAt: this.#ports.wall.nowUnixMs() };
      await this.put(projectId, changed);
      return ok(changed);
    });
  }

  /** In the project's turn. */
  put(projectId: string, model: RegisteredModel): Promise<void> {
    const { name } = model;
    return this.#ports.store.putDocument(projectId, "registered-model", { id: name, name, body: model });
  }
}

const NOT_TO_NAME =
  'This is the model of a task. To move its aliases needs a researcher or an admin, and a token with the scope "tasks".';

export function noModel(name: string): Result<never, WireError> {
  return refused("NOT_FOUND", `Registered Model with name=${name} not found.`);
}

function nameTaken(name: string): Result<never, WireError> {
  return refused("CONFLICT", `Registered Model (name=${name}) already exists.`);
}

export function ofTask(name: string): Result<never, WireError> {
  return refused(
    "STATE",
    `${name} is the model of a task. Only rounds of Chorus make its versions. Use another name for your own.`,
  );
}

/** The copy of a task's model that an earlier program kept for its notes; null for a model of somebody's. */
function earlierOf(own: RegisteredModel, document: TrackingDocument | null | undefined) {
  return earlierNote(copyOf(document), own, (text) => text.startsWith(`The task ${own.name}: `));
}

function copyOf(document: TrackingDocument | null | undefined): RegisteredModel | null {
  const body = (document?.body ?? null) as RegisteredModel | null;
  return body?.isOwn === true ? body : null;
}

/** MLflow's client asks for models that are no prompts, whether or not they have the tag. */
export function tagOfAll(key: string): string | undefined {
  return key === "mlflow.prompt.is_prompt" ? "false" : undefined;
}

function searchable(model: RegisteredModel) {
  const attributes: Readonly<Record<string, string | number>> = {
    name: model.name,
    creation_timestamp: model.createdAt,
    last_updated_timestamp: model.updatedAt,
  };
  return {
    attribute: (key: string) => attributes[key],
    metric: () => undefined,
    param: () => undefined,
    tag: (key: string) => entryOf(model.tags, key) ?? tagOfAll(key),
  };
}
