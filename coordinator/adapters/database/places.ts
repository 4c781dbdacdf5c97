import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Placed, Readable, TaskStore } from "#coordinator/core/ports/store.ts";
import { unreachable } from "#shared/kernel/assert.ts";
import type { Database } from "./schema.ts";

/** Where something belongs. Asked before every request about it, so each case is a look-up through an index. */
export function placeQueries(db: Kysely<Database>): Pick<TaskStore, "findPlaces"> {
  return {
    findPlaces: async ({ type, id }) => {
      const query = type === "task" ? placesOfTask(db, id) : placesOfRuns(db, runsOf(type, id));
      return (await query.execute()).map((row) => ({
        projectId: row.project_id,
        slug: row.slug,
        joining: row.joining === "invitation" ? "invitation" : "public",
      }));
    },
  };
}

interface PlaceColumns {
  readonly project_id: string;
  readonly slug: string;
  /** Null without settings. */
  readonly joining: string | null;
}

function placesOfTask(db: Kysely<Database>, slug: string): { execute(): Promise<PlaceColumns[]> } {
  return db
    .selectFrom("task")
    .leftJoin("task_settings", (join) =>
      join
        .onRef("task_settings.project_id", "=", "task.project_id")
        .onRef("task_settings.slug", "=", "task.slug"),
    )
    .select(["task.project_id", "task.slug", "task_settings.joining"])
    .where("task.slug", "=", slug)
    .limit(1);
}

function placesOfRuns(
  db: Kysely<Database>,
  runIds: RawBuilder<unknown>,
): { execute(): Promise<PlaceColumns[]> } {
  return db
    .selectFrom("run")
    .leftJoin("task_settings", (join) =>
      join
        .onRef("task_settings.project_id", "=", "run.project_id")
        .onRef("task_settings.slug", "=", "run.task"),
    )
    .select(["run.project_id", "run.task as slug", "task_settings.joining"])
    .distinct()
    .where(sql<boolean>`run.run_id in (${runIds})`)
    .orderBy("slug");
}

function runsOf(type: Exclude<Placed["type"], "task">, id: string): RawBuilder<unknown> {
  switch (type) {
    case "run":
      return sql`${id}`;
    case "round":
      return sql`select run_id from round where round_id = ${id}`;
    case "model":
      return sql`select run_id from model_version where model_hash = ${id}
        union select run_id from model_use where model_hash = ${id}`;
    default:
      return unreachable(type);
  }
}

/**
 * Condition on rows of `table`; null if all are readable.
 *
 * @param slug  The column with the task's slug.
 */
export function readableIn(
  table: "run" | "task",
  slug: "slug" | "task",
  { projects, orPublic }: Readable,
): RawBuilder<boolean> | null {
  if (projects === "all") return null;
  const project = sql.ref(`${table}.project_id`);
  const isOfProject =
    projects.length === 0 ? sql<boolean>`false` : sql<boolean>`${project} in (${sql.join(projects)})`;
  if (!orPublic) return isOfProject;
  const task = sql.ref(`${table}.${slug}`);
  return sql<boolean>`(${isOfProject} or not exists (
    select 1 from task_settings
    where task_settings.project_id = ${project} and task_settings.slug = ${task}
      and task_settings.joining <> 'public'
  ))`;
}

/** The project of this round's rows, or `otherwise` if there is no such round. */
export function projectOfRound(roundId: string, otherwise: string): RawBuilder<string> {
  return sql<string>`coalesce((select project_id from round where round_id = ${roundId}), ${otherwise})`;
}

/** The project of this session's slots, or `otherwise` if it has none. */
export function projectOfSession(sid: string, otherwise: string): RawBuilder<string> {
  return sql<string>`coalesce((select project_id from upload_session where sid = ${sid}), ${otherwise})`;
}
