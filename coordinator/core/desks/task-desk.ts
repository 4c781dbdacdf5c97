import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { loggedInProject } from "#shared/project/log.ts";
import type { SettingsView, TaskCreated } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import type { StoredSettingChanges } from "#shared/task/settings.ts";
import type { Places } from "../access/places.ts";
import type { Tasks } from "../coordinator.ts";
import type { HeldOutSets } from "../models/held-out-sets.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { StoredTask } from "../ports/store.ts";
import type { RunDesk } from "../runs/run-desk.ts";
import { type ArchiveParts, archiveActs } from "./archive.ts";
import type { Readers } from "./readers.ts";

type TaskPorts = Pick<CoordinatorPorts, "store" | "primitives" | "wall" | "projectId">;

interface TaskDeskParts extends ArchiveParts {
  readonly readers: Readers;
  readonly places: Places;
  readonly heldOut: Pick<HeldOutSets, "forVersion" | "inTurn">;
  readonly runs: ArchiveParts["runs"] & Pick<RunDesk, "takeUp">;
}

/** Tasks: each decision about one is an event of its project's stream, with an audit leaf (A9). */
export function createTaskDesk(ports: TaskPorts, parts: TaskDeskParts): Tasks {
  const { store, wall } = ports;
  const { readers, places } = parts;
  return {
    ...archiveActs(ports, parts),
    createTask: (task, actor, projectId) => createTask(ports, parts, { task, actor, projectId }),
    taskSettings: async (slug) => settingsView(await store.showTask(slug)),
    changeTaskSettings: async (slug, changes, actor) => {
      const stored = await store.findTask(slug);
      const known = settingsView(stored);
      if (stored === null || known === null) return err(wireError("NOT_FOUND"));
      const settings = { ...known.settings, ...changes };
      // A change without effect is no event.
      if (canonicalJson(settings) === canonicalJson(known.settings)) return ok(known);
      const fact = { type: "task-settings-changed", slug: known.slug, changes, actor } as const;
      const written = await store.appendNext(
        { kind: "project", id: stored.projectId },
        { at: wall.nowUnixMs(), event: loggedInProject(fact) },
        [
          { type: "task-settings", slug, changes },
          // Leaves hold no free text.
          {
            type: "audit-leaf",
            kind: "task.settings-changed",
            body: { version: 1, slug, names: Object.keys(changes).sort() },
          },
        ],
      );
      assert(written.ok, "settings are changed, no task is made");
      // Who may read it may have changed.
      places.forget();
      const changed = settingsView(await store.findTask(slug));
      return changed === null ? err(wireError("INTERNAL")) : ok(changed);
    },
    listTasks: (readable, page) => readers.listTasks(readable, page),
    listVersions: (slug, page) => readers.listVersions(slug, page),
    taskView: (slug, version) => readers.taskView(slug, version),
  };
}

type Creation = {
  readonly task: Parameters<Tasks["createTask"]>[0];
  readonly actor: string;
  readonly projectId: string | undefined;
};

/** The set of held-out rows is read and written in one turn with its other changes, so that none is lost. */
function createTask(
  { store, primitives, wall, projectId: ownProjectId }: TaskPorts,
  { readers, heldOut, runs }: TaskDeskParts,
  { task, actor, projectId = ownProjectId }: Creation,
): ReturnType<Tasks["createTask"]> {
  const { slug, version } = task;
  return heldOut.inTurn(async () => {
    const taskHash = (await taskHashOf(primitives, task)) as HashHex;
    const before = await store.findTask(slug);
    const exists = wireError(
      "CONFLICT",
      `Version ${version} of task ${slug} exists. A change is a new version.`,
    );
    if (before !== null && (await store.findTask(slug, version)) !== null) return err(exists);
    const next = (before?.task.version ?? version - 1) + 1;
    // An older number would not be the newest, and a large one would leave no room for those after it.
    if (version !== next) return err(wireError("CONFLICT", `The next version of task ${slug} is ${next}.`));
    const at = wall.nowUnixMs();
    const { changes, fault } = await settingsOf(before, task, heldOut);
    const takesUp = "archived" in changes;
    const fact = {
      type: "task-created",
      slug,
      version,
      taskHash,
      ...(takesUp && { takesUp }),
      actor,
    } as const;
    const written = await store.appendNext(
      { kind: "project", id: projectId },
      { at, event: loggedInProject(fact) },
      [
        { type: "task-row", row: { projectId, task, taskHash, actor, createdAt: at } },
        ...(Object.keys(changes).length === 0 ? [] : [{ type: "task-settings", slug, changes } as const]),
        // Leaves name no people.
        {
          type: "audit-leaf",
          kind: "task.published",
          body: { version: 1, slug, taskVersion: version, taskHash },
        },
      ],
    );
    if (!written.ok) return err(exists);
    if (takesUp) runs.takeUp(slug);
    const view = await readers.taskView(slug, version);
    if (view === null) return err(wireError("INTERNAL"));
    const created: TaskCreated = { ...view, ...(fault !== null && { heldOutFault: fault }) };
    return ok(created);
  });
}

/** What a new version changes of the settings. */
async function settingsOf(
  before: StoredTask | null,
  task: Creation["task"],
  heldOut: TaskDeskParts["heldOut"],
): Promise<{ readonly changes: StoredSettingChanges; readonly fault: string | null }> {
  if (before === null) return { changes: {}, fault: null };
  const { set, fault } = await heldOut.forVersion(before, task);
  const isSame = canonicalJson(set) === canonicalJson(before.settings.heldOut);
  return {
    changes: {
      ...(isSame ? {} : { heldOut: set }),
      ...(before.settings.archived === null ? {} : { archived: null }),
    },
    fault,
  };
}

function settingsView(stored: StoredTask | null): SettingsView | null {
  return stored === null ? null : { slug: stored.task.slug, settings: stored.settings };
}
