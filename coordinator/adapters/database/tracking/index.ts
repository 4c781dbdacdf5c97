import { type Kysely, sql, type Transaction } from "kysely";
import type { OwnRunSearch } from "#coordinator/core/ports/own-run-search.ts";
import type {
  TrackingDocument,
  TrackingKind,
  TrackingStore,
} from "#coordinator/core/ports/tracking-store.ts";
import { nextNumber } from "../counters.ts";
import { KnownReports } from "../named-files.ts";
import { fromJson, inBatches, toJson } from "../page.ts";
import type { Database } from "../schema.ts";
import { experimentCounter } from "./experiment-counter.ts";
import { ownRunQueries } from "./own-search.ts";
import { trackedRunQueries } from "./runs.ts";
import type { SqlDialect } from "./search.ts";

/** Experiments, runs, models and their files. */
export function trackingQueries(db: Kysely<Database>, dialect: SqlDialect): TrackingStore & OwnRunSearch {
  return {
    ...documentQueries(db),
    ...trackedRunQueries(db, dialect),
    ...ownRunQueries(db, dialect),
    ...artifactQueries(db),
    nextExperimentNumber: (projectId) => nextNumber(db, experimentCounter(projectId)),
  };
}

type DocumentQueries = Pick<
  TrackingStore,
  "listDocuments" | "findDocument" | "putDocument" | "removeDocument" | "changeDocuments"
>;

function documentQueries(db: Kysely<Database>): DocumentQueries {
  const of = (projectId: string, kind: TrackingKind) =>
    db
      .selectFrom("tracking_document")
      .select(["id", "name", "body"])
      .where("project_id", "=", projectId)
      .where("kind", "=", kind);
  return {
    listDocuments: async (projectId, kind, name) => {
      const all = of(projectId, kind).orderBy("id");
      const rows = await (name === undefined ? all : all.where("name", "=", name)).execute();
      return rows.map((row) => ({ id: row.id, name: row.name, body: fromJson(row.body) }));
    },
    findDocument: async (projectId, kind, id) => {
      const row = await of(projectId, kind).where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : { id: row.id, name: row.name, body: fromJson(row.body) };
    },
    putDocument: (projectId, kind, document) => putIn(db, projectId, kind, document),
    removeDocument: (projectId, kind, id) => removeIn(db, projectId, kind, id),
    changeDocuments: (projectId, { remove, put }) =>
      db.transaction().execute(async (tx) => {
        for (const { kind, id } of remove) await removeIn(tx, projectId, kind, id);
        for (const { kind, ...document } of put) await putIn(tx, projectId, kind, document);
      }),
  };
}

async function putIn(
  db: Kysely<Database>,
  projectId: string,
  kind: TrackingKind,
  { id, name, body }: TrackingDocument,
): Promise<void> {
  const changing = { name, body: toJson(body) };
  await db
    .insertInto("tracking_document")
    .values({ project_id: projectId, kind, id, ...changing })
    .onConflict((conflict) => conflict.columns(["project_id", "kind", "id"]).doUpdateSet(changing))
    .execute();
}

async function removeIn(
  db: Kysely<Database>,
  projectId: string,
  kind: TrackingKind,
  id: string,
): Promise<void> {
  await db
    .deleteFrom("tracking_document")
    .where("project_id", "=", projectId)
    .where("kind", "=", kind)
    .where("id", "=", id)
    .execute();
}

type ArtifactQueries = Pick<
  TrackingStore,
  "putArtifact" | "findArtifact" | "listArtifacts" | "removeArtifacts"
>;

function artifactQueries(db: Kysely<Database>): ArtifactQueries {
  const reports = new KnownReports();
  return {
    putArtifact: (projectId, { path, blobHash, byteCount }) =>
      db.transaction().execute(async (tx) => {
        const former = await tx
          .selectFrom("tracking_artifact")
          .select("blob_hash")
          .where("project_id", "=", projectId)
          .where("path", "=", path)
          .executeTakeFirst();
        const changing = { blob_hash: blobHash, byte_count: byteCount };
        await tx
          .insertInto("tracking_artifact")
          .values({ project_id: projectId, path, ...changing })
          .onConflict((conflict) => conflict.columns(["project_id", "path"]).doUpdateSet(changing))
          .execute();
        if (former === undefined || former.blob_hash === blobHash) return null;
        const [unnamed = null] = await reports.unnamed(tx, [former.blob_hash]);
        return unnamed;
      }),
    findArtifact: async (projectId, path) => {
      const row = await db
        .selectFrom("tracking_artifact")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("path", "=", path)
        .executeTakeFirst();
      return row === undefined ? null : artifactOf(row);
    },
    listArtifacts: async (projectId, folder) => {
      const rows = await below(db, projectId, folder).orderBy("path").execute();
      return rows.map(artifactOf);
    },
    removeArtifacts: (projectId, path) =>
      db.transaction().execute(async (tx) => {
        const rows = [
          ...(await below(tx, projectId, path).execute()),
          ...(await tx
            .selectFrom("tracking_artifact")
            .selectAll()
            .where("project_id", "=", projectId)
            .where("path", "=", path)
            .execute()),
        ];
        for (const paths of inBatches(rows.map((row) => row.path)))
          await tx
            .deleteFrom("tracking_artifact")
            .where("project_id", "=", projectId)
            .where("path", "in", paths)
            .execute();
        return reports.unnamed(tx, [...new Set(rows.map((row) => row.blob_hash))]);
      }),
  };
}

/** The byte after "/" ends the range of paths, so that the index finds them. */
function below(db: Kysely<Database> | Transaction<Database>, projectId: string, folder: string) {
  const all = db.selectFrom("tracking_artifact").selectAll().where("project_id", "=", projectId);
  if (folder === "") return all;
  return all.where("path", ">=", `${folder}/`).where("path", "<", sql<string>`${`${folder}0`}`);
}

function artifactOf(row: { readonly path: string; readonly blob_hash: string; readonly byte_count: number }) {
  return { path: row.path, blobHash: row.blob_hash, byteCount: Number(row.byte_count) };
}
