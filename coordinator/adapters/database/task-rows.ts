import type { Transaction } from "kysely";
import type { StoreRecord } from "#coordinator/core/ports/store.ts";
import { assert } from "#shared/kernel/assert.ts";
import { taskSettingsSchema } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import { fromJson, toJson } from "./page.ts";
import type { Database } from "./schema.ts";

type RecordOf<Type extends StoreRecord["type"]> = Extract<StoreRecord, { type: Type }>;

/** Rolls the transaction back. */
export class TaskExists extends Error {
  constructor({ slug, version }: Task) {
    super(`version ${version} of task ${slug} exists, or the slug belongs to another project`);
  }
}

/** Writers queue for the event's position, so that no two projects take one slug. */
export async function writeTask(tx: Transaction<Database>, { row }: RecordOf<"task-row">): Promise<void> {
  const { projectId, task, taskHash, actor, createdAt } = row;
  const owner = await projectOfTask(tx, task.slug);
  if (owner !== null && owner !== projectId) throw new TaskExists(task);
  const created = await tx
    .insertInto("task")
    .values({
      project_id: projectId,
      slug: task.slug,
      version: task.version,
      task_hash: taskHash,
      body: toJson(task),
      actor,
      created_at: createdAt,
    })
    .onConflict((conflict) => conflict.columns(["project_id", "slug", "version"]).doNothing())
    .returning("version")
    .executeTakeFirst();
  if (created === undefined) throw new TaskExists(task);
}

/** Writers queue for the event's position, so that none overwrites another's changes. */
export async function writeTaskSettings(
  tx: Transaction<Database>,
  { slug, changes }: RecordOf<"task-settings">,
): Promise<void> {
  const projectId = await projectOfTask(tx, slug);
  assert(projectId !== null, `settings of task ${slug} follow the task`);
  const known = await tx
    .selectFrom("task_settings")
    .select("body")
    .where("project_id", "=", projectId)
    .where("slug", "=", slug)
    .executeTakeFirst();
  const settings = { ...(known === undefined ? {} : (fromJson(known.body) as object)), ...changes };
  const { joining, archived } = taskSettingsSchema.parse(settings);
  const columns = { body: toJson(settings), joining, archived: archived !== null };
  await tx
    .insertInto("task_settings")
    .values({ project_id: projectId, slug, ...columns })
    .onConflict((conflict) => conflict.columns(["project_id", "slug"]).doUpdateSet(columns))
    .execute();
}

async function projectOfTask(tx: Transaction<Database>, slug: string): Promise<string | null> {
  const row = await tx
    .selectFrom("task")
    .select("project_id")
    .where("slug", "=", slug)
    .limit(1)
    .executeTakeFirst();
  return row?.project_id ?? null;
}
