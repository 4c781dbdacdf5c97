import { type Kysely, sql, type Transaction } from "kysely";
import { PEOPLE_KINDS } from "#coordinator/core/access/leaf.ts";
import type { AccessStore, ProjectData } from "#coordinator/core/ports/access-store.ts";
import { USES_COUNTER } from "./access.ts";
import { blobsNamed, namedAmong, reportsNamed } from "./named-files.ts";
import { fromJson } from "./page.ts";
import { MODEL_COUNTER } from "./registry.ts";
import type { Database } from "./schema.ts";
import type { StreamProjects } from "./stream-projects.ts";

/**
 * Tables of a project, each before those that it refers to. Openings follow their transcript. `model_offer` stays: whether a
 * sum was ever opened for a model must be known in every project.
 */
const TABLES = [
  "evidence",
  "transcript",
  "material",
  "input",
  "upload_slot",
  "upload_session",
  "model_alias",
  "model_version",
  "model_use",
  "round",
  "run",
  "task_settings",
  "task",
  "note",
  "enrolment",
  "tracking_metric",
  "tracking_newest_metric",
  "tracking_param",
  "tracking_tag",
  "tracking_link",
  "tracking_run",
  "tracking_document",
  "tracking_artifact",
] as const satisfies readonly (keyof Database)[];

const OF_TRACKED_RUNS: ReadonlySet<(typeof TABLES)[number]> = new Set([
  "tracking_metric",
  "tracking_newest_metric",
  "tracking_param",
  "tracking_tag",
  "tracking_link",
]);

/** Finds and deletes all that a project's tasks have left. */
export function projectDeletion(
  db: Kysely<Database>,
  projects: StreamProjects,
): Pick<AccessStore, "findProjectData" | "deleteProjectData"> {
  return {
    findProjectData: (projectId) => db.transaction().execute((tx) => findIn(tx, projectId)),
    deleteProjectData: async (projectId) => {
      await db.transaction().execute((tx) => deleteIn(tx, projectId));
      projects.forget();
    },
  };
}

async function findIn(tx: Transaction<Database>, projectId: string): Promise<ProjectData> {
  const counts = {
    taskCount: await countRows(tx, "task", projectId),
    runCount: await countRows(tx, "run", projectId),
    roundCount: await countRows(tx, "round", projectId),
  };
  const sids = await tx
    .selectFrom("upload_session")
    .select("sid")
    .where("project_id", "=", projectId)
    .union(tx.selectFrom("transcript").select("sid").where("project_id", "=", projectId))
    .union(tx.selectFrom("evidence").select("sid").where("project_id", "=", projectId))
    .execute();
  const tasks = await tx
    .selectFrom("task")
    .select("slug")
    .distinct()
    .where("project_id", "=", projectId)
    .orderBy("slug")
    .execute();
  const blobs = await blobsNamed(tx, { in: projectId });
  const reports = await reportsNamed(tx, { in: projectId });
  const candidates = [...new Set([...blobs, ...reports])].sort();
  const named = await namedElsewhere(tx, candidates, projectId, reports.size > 0);
  return {
    ...counts,
    sids: sids.map(({ sid }) => sid),
    slugs: tasks.map(({ slug }) => slug),
    blobHashes: candidates.filter((hash) => !named.has(hash)),
  };
}

/** Whose act these were is in the log of access, too. What else was deleted, such as held-out rows, is the project's. */
const NAMED_FOR_GOOD = PEOPLE_KINDS.filter((kind) => kind !== "deletion.performed");

async function deleteIn(tx: Transaction<Database>, projectId: string): Promise<void> {
  await deleteJoinTokens(tx, projectId);
  await deleteModelCounters(tx, projectId);
  for (const table of TABLES) await deleteRows(tx, table, projectId);
  // Leaves stay, since they are public; who decided what they say goes, except about people, whose events stay, too.
  await tx
    .updateTable("audit_leaf")
    .set({ actor: null })
    .where("project_id", "=", projectId)
    .where("kind", "not in", NAMED_FOR_GOOD)
    .execute();
  await tx
    .deleteFrom("event")
    .where("project_id", "=", projectId)
    .where("stream_kind", "in", ["run", "round", "project", "registry"])
    .execute();
}

async function countRows(
  tx: Transaction<Database>,
  table: "task" | "run" | "round",
  projectId: string,
): Promise<number> {
  const what = table === "task" ? sql`distinct slug` : sql`*`;
  const { rows } = await sql<{ count: number }>`
    select count(${what}) as count from ${sql.table(table)} where project_id = ${projectId}`.execute(tx);
  return Number(rows[0]?.count ?? 0);
}

async function deleteRows(
  tx: Transaction<Database>,
  table: (typeof TABLES)[number],
  projectId: string,
): Promise<void> {
  const rows = OF_TRACKED_RUNS.has(table)
    ? sql`run_id in (select run_id from tracking_run where project_id = ${projectId})`
    : table === "upload_slot"
      ? sql`sid in (select sid from upload_session where project_id = ${projectId})`
      : sql`project_id = ${projectId}`;
  await sql`delete from ${sql.table(table)} where ${rows}`.execute(tx);
}

/** Documents are read here, because neither database can look into all of them. */
async function deleteJoinTokens(tx: Transaction<Database>, projectId: string): Promise<void> {
  const rows = await tx.selectFrom("access_row").selectAll().where("kind", "=", "join-token").execute();
  for (const { kind, id, body } of rows) {
    const token = fromJson(body) as { readonly projectId?: unknown };
    if (token.projectId !== projectId) continue;
    await tx.deleteFrom("access_row").where("kind", "=", kind).where("id", "=", id).execute();
    await tx.deleteFrom("counter").where("name", "=", `${USES_COUNTER}${id}`).execute();
  }
}

/** A later task of the same name counts from 1. */
async function deleteModelCounters(tx: Transaction<Database>, projectId: string): Promise<void> {
  await sql`delete from counter where name in (
    select ${MODEL_COUNTER} || slug from task where project_id = ${projectId}
  )`.execute(tx);
}

/** Those of `hashes` that other projects name. */
async function namedElsewhere(
  tx: Transaction<Database>,
  hashes: readonly string[],
  projectId: string,
  withReports: boolean,
): Promise<ReadonlySet<string>> {
  const named = await namedAmong(tx, hashes, { notIn: projectId });
  if (!withReports) return named;
  return new Set([...named, ...(await reportsNamed(tx, { notIn: projectId }))]);
}
