import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { loggedInProject } from "#shared/project/log.ts";
import type { TaskCreated } from "#shared/protocol/api.ts";
import { fieldsError, type WireError, wireError } from "#shared/protocol/errors.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { SettingsView } from "#shared/protocol/settings-view.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import { measuresOf } from "#shared/task/measures/index.ts";
import { rowMeasuresOf } from "#shared/task/measures/of-rows/list.ts";
import type { StoredSettingChanges, TaskSettingChanges } from "#shared/task/settings.ts";
import { targetOf } from "#shared/task/target.ts";
import type { Places } from "../access/places.ts";
import type { Tasks } from "../coordinator.ts";
import type { HeldOutSets } from "../models/held-out-sets.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { StoredTask } from "../ports/store.ts";
import type { RunDesk } from "../runs/run-desk.ts";
import { taskLeaf } from "../tasks/task-leaf.ts";
import type { TermsPorts } from "../tasks/terms.ts";
import { type ArchiveParts, archiveActs } from "./archive.ts";
import type { Readers } from "./readers.ts";

type TaskPorts = Pick<CoordinatorPorts, "store" | "wall"> & TermsPorts;

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
      const unknown = unknownMeasures(stored.task, changes) ?? pointlessCosts(stored.task, changes);
      if (unknown !== null) return err(unknown);
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
            kind: "config.changed",
            body: { version: 1, slug, names: Object.keys(changes).sort() },
            actor,
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
  ports: TaskPorts,
  { readers, heldOut, runs }: TaskDeskParts,
  { task, actor, projectId = ports.projectId }: Creation,
): ReturnType<Tasks["createTask"]> {
  const { store, primitives, wall } = ports;
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
        { type: "audit-leaf", kind: "task.published", body: await taskLeaf(ports, task, taskHash), actor },
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

/** A gate of a measure that no model of the task has could never open. */
function unknownMeasures(
  { features }: Pick<StoredTask["task"], "features">,
  { promotion }: TaskSettingChanges,
): WireError | null {
  const target = targetOf(features);
  const names = [...new Set([...measuresOf(target), ...rowMeasuresOf(target)].map(({ name }) => name))];
  const fields = (promotion?.gates ?? []).flatMap((gate, index) => {
    if (gate.kind !== "measure" || names.includes(gate.name)) return [];
    const sentence = `There is no measure "${gate.name}" of this task. It has ${names.join(", ")}.`;
    return [{ path: `changes.promotion.gates.${index}.name`, sentence }];
  });
  return fields[0] === undefined ? null : fieldsError(fields[0].sentence, fields);
}

/** Costs of errors are about two classes. */
function pointlessCosts(
  { features }: Pick<StoredTask["task"], "features">,
  { operatingPoint }: TaskSettingChanges,
): WireError | null {
  const target = targetOf(features);
  if (operatingPoint === undefined || (target.kind === "classes" && target.classes.length === 2)) return null;
  const sentence = "Only a task with two classes has costs of errors. Leave them out.";
  return fieldsError(sentence, [{ path: "changes.operatingPoint", sentence }]);
}

function settingsView(stored: StoredTask | null): SettingsView | null {
  return stored === null ? null : { slug: stored.task.slug, settings: stored.settings };
}
