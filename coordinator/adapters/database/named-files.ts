import { type Kysely, sql } from "kysely";
import { fromJson } from "./page.ts";
import type { Database } from "./schema.ts";

/* The files that rows of a database name. Each is durable before a row names it. */

/** Whose rows are asked. */
export type Projects = { readonly in: string } | { readonly notIn: string } | "all";

/** Blobs that rows name: models, strategy states and sums. */
export async function blobsNamed(db: Kysely<Database>, of: Projects): Promise<ReadonlySet<string>> {
  const rows = isOf(of);
  const named = await sql<{ hash: string | null }>`
    select model_hash as hash from model_version where ${rows}
    union select strategy_state_hash from model_version where ${rows}
    union select model_hash from model_use where ${rows}
    union select sum_hash from round where ${rows}`.execute(db);
  return new Set(named.rows.flatMap(({ hash }) => (hash === null ? [] : [hash])));
}

/** Reports of evaluations, which only the events of runs name. */
export async function reportsNamed(db: Kysely<Database>, of: Projects): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("event")
    .select("body")
    .where("stream_kind", "=", "run")
    .where(sql<boolean>`cast(body as text) like '%"reportHash":"%'`)
    .where(isOf(of))
    .execute();
  return new Set(rows.flatMap(({ body }) => reportHashOf(fromJson(body))));
}

/** Every file that the database names by a hash: as a path in the data folder, with slashes. */
export async function namedFiles(db: Kysely<Database>): Promise<ReadonlySet<string>> {
  const blobs = [...(await blobsNamed(db, "all")), ...(await reportsNamed(db, "all"))];
  const settings = await db.selectFrom("task_settings").select(["slug", "body"]).execute();
  const sets = settings.flatMap(({ slug, body }) =>
    heldOutHashOf(fromJson(body)).map((hash) => [slug, hash]),
  );
  return new Set([
    ...blobs.map((hash) => `blobs/${hash.slice(0, 2)}/${hash}`),
    ...sets.map(([slug, hash]) => `heldout/sets/${slug}/${hash}`),
  ]);
}

function isOf(of: Projects) {
  if (of === "all") return sql<boolean>`1 = 1`;
  return "in" in of ? sql<boolean>`project_id = ${of.in}` : sql<boolean>`project_id <> ${of.notIn}`;
}

function reportHashOf(event: unknown): readonly string[] {
  const hash = (event as { readonly fact?: { readonly reportHash?: unknown } } | null)?.fact?.reportHash;
  return typeof hash === "string" ? [hash] : [];
}

function heldOutHashOf(settings: unknown): readonly string[] {
  const hash = (settings as { readonly heldOut?: { readonly hash?: unknown } | null } | null)?.heldOut?.hash;
  return typeof hash === "string" ? [hash] : [];
}
