import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { loggedInProject } from "#shared/project/log.ts";
import type { SettingsView } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import type { Tasks } from "./coordinator.ts";
import type { CoordinatorPorts } from "./ports.ts";
import type { Readers } from "./readers.ts";
import type { StoredTask } from "./store.ts";

type TaskPorts = Pick<CoordinatorPorts, "store" | "primitives" | "wall" | "projectId">;

/** Tasks: what people decide about them is an event of their project's stream, with its leaf (A9). */
export function createTaskDesk({ store, primitives, wall, projectId }: TaskPorts, readers: Readers): Tasks {
  return {
    createTask: async (task, actor) => {
      const { slug, version } = task;
      const taskHash = (await taskHashOf(primitives, task)) as HashHex;
      const at = wall.nowUnixMs();
      const fact = { type: "task-created", slug, version, taskHash, actor } as const;
      const written = await store.appendNext(
        { kind: "project", id: projectId },
        { at, event: { ...loggedInProject(fact), note: null } },
        [
          { type: "task-row", row: { task, taskHash, actor, createdAt: at } },
          // Leaves name nobody.
          {
            type: "audit-leaf",
            kind: "task.published",
            body: { version: 1, slug, taskVersion: version, taskHash },
          },
        ],
      );
      if (!written.ok) {
        return err(
          wireError("CONFLICT", `Version ${version} of task ${slug} exists. A change is a new version.`),
        );
      }
      const view = await readers.taskView(slug, version);
      return view === null ? err(wireError("INTERNAL")) : ok(view);
    },
    taskSettings: async (slug) => settingsView(await store.findTask(slug)),
    changeTaskSettings: async (slug, changes, actor) => {
      const known = settingsView(await store.findTask(slug));
      if (known === null) return err(wireError("NOT_FOUND"));
      const settings = { ...known.settings, ...changes };
      // Only what changes something is an event.
      if (canonicalJson(settings) === canonicalJson(known.settings)) return ok(known);
      const fact = { type: "task-settings-changed", slug: known.slug, changes, actor } as const;
      const written = await store.appendNext(
        { kind: "project", id: projectId },
        { at: wall.nowUnixMs(), event: { ...loggedInProject(fact), note: null } },
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
      const changed = settingsView(await store.findTask(slug));
      return changed === null ? err(wireError("INTERNAL")) : ok(changed);
    },
    listTasks: (page) => readers.listTasks(page),
    taskView: (slug, version) => readers.taskView(slug, version),
  };
}

function settingsView(stored: StoredTask | null): SettingsView | null {
  return stored === null ? null : { slug: stored.task.slug, settings: stored.settings };
}
