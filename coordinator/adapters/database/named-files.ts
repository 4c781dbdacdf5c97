import { type Kysely, sql } from "kysely";
import { fromJson, inBatches } from "./page.ts";
import type { Database } from "./schema.ts";

/* The files that rows of a database name. Each is durable before a row names it. */

/** Whose rows are asked. */
export type Projects = { readonly in: string } | { readonly notIn: string } | "all";

/** Blobs that rows name: models, strategy states, sums and files of experiments. */
export async function blobsNamed(db: Kysely<Database>, of: Projects): Promise<ReadonlySet<string>> {
  const rows = isOf(of);
  const named = await sql<{ hash: string | null }>`
    select model_hash as hash from model_version where ${rows}
    union select strategy_state_hash from model_version where ${rows}
    union select model_hash from model_use where ${rows}
    union select sum_hash from round where ${rows}
    union select blob_hash from tracking_artifact where ${rows}`.execute(db);
  return new Set(named.rows.flatMap(({ hash }) => (hash === null ? [] : [hash])));
}

/** Those of `hashes` that rows name; reports are named by events alone. */
export async function namedAmong(
  db: Kysely<Database>,
  hashes: readonly string[],
  of: Projects,
): Promise<ReadonlySet<string>> {
  const rows = isOf(of);
  const named = new Set<string>();
  for (const batch of inBatches(hashes)) {
    const list = sql.join(batch);
    const found = await sql<{ hash: string }>`
      select model_hash as hash from model_version where model_hash in (${list}) and ${rows}
      union select strategy_state_hash from model_version where strategy_state_hash in (${list}) and ${rows}
      union select model_hash from model_use where model_hash in (${list}) and ${rows}
      union select sum_hash from round where sum_hash in (${list}) and ${rows}
      union select blob_hash from tracking_artifact where blob_hash in (${list}) and ${rows}`.execute(db);
    for (const { hash } of found.rows) named.add(hash);
  }
  return named;
}

/**
 * Reports of all projects. Events stand in the order in which they were written, so each is read once: what a later question
 * costs is what came since. A report of a project that was deleted meanwhile is still known.
 */
export class KnownReports {
  readonly #hashes = new Set<string>();
  #position = 0;

  /** Those of `hashes` that no row and no event of any project names. */
  async unnamed(db: Kysely<Database>, hashes: readonly string[]): Promise<readonly string[]> {
    const named = await namedAmong(db, hashes, "all");
    const left = hashes.filter((hash) => !named.has(hash));
    if (left.length > 0) await this.#readOn(db);
    return left.filter((hash) => !this.#hashes.has(hash));
  }

  async #readOn(db: Kysely<Database>): Promise<void> {
    const newest = await sql<{
      position: number | null;
    }>`select max(position) as position from event`.execute(db);
    const end = Number(newest.rows[0]?.position ?? 0);
    // An expression, so that the index on positions is used and none on kinds.
    const { rows } = await sql<{ body: string }>`
      select body from event where position > ${this.#position} and position <= ${end}
        and stream_kind || '' = 'run' and ${HAS_REPORT}`.execute(db);
    for (const { body } of rows) for (const hash of reportHashOf(fromJson(body))) this.#hashes.add(hash);
    this.#position = Math.max(this.#position, end);
  }
}

const HAS_REPORT = sql<boolean>`cast(body as text) like '%"reportHash":"%'`;

/** Reports of evaluations, which only the events of runs name. */
export async function reportsNamed(db: Kysely<Database>, of: Projects): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("event")
    .select("body")
    .where("stream_kind", "=", "run")
    .where(HAS_REPORT)
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
