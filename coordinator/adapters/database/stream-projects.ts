import type { Kysely } from "kysely";
import type { StoreRecord, StreamId } from "#coordinator/core/ports/store.ts";
import type { Database } from "./schema.ts";

/** Bound on the streams whose project is remembered. */
const REMEMBERED_MAX = 10_000;

/** The project that a stream belongs to. Every row written beside its events carries it. */
export interface StreamProjects {
  /** @param records  Those that the append writes; a run's first ones name its project. */
  of(stream: StreamId, records: readonly StoreRecord[]): Promise<string>;
  /** After a deletion, since an id may come again in another project. */
  forget(): void;
}

/** @param home  The project of streams that belong to none. */
export function streamProjects(db: Kysely<Database>, home: string): StreamProjects {
  // Only what is committed is remembered. A Map iterates in insertion order.
  const known = new Map<string, string>();

  async function ofRun(runId: string): Promise<string | null> {
    const row = await db
      .selectFrom("run")
      .select("project_id")
      .where("run_id", "=", runId)
      .executeTakeFirst();
    return row?.project_id ?? null;
  }

  async function ofTask(slug: string): Promise<string | null> {
    const row = await db.selectFrom("task").select("project_id").where("slug", "=", slug).executeTakeFirst();
    return row?.project_id ?? null;
  }

  async function stored({ kind, id }: StreamId): Promise<string | null> {
    if (kind === "run") return ofRun(id);
    const row = await db
      .selectFrom("round")
      .select("project_id")
      .where("round_id", "=", id)
      .executeTakeFirst();
    return row?.project_id ?? null;
  }

  return {
    of: async (stream, records) => {
      if (stream.kind === "project") return stream.id;
      if (stream.kind === "registry") return (await ofTask(stream.id)) ?? home;
      if (stream.kind !== "run" && stream.kind !== "round") return home;
      const key = `${stream.kind} ${stream.id}`;
      const remembered = known.get(key);
      if (remembered !== undefined) return remembered;
      for (const record of records) {
        if (record.type === "run-row" && stream.kind === "run" && record.runId === stream.id)
          return record.row.projectId;
        if (record.type === "round-row" && stream.kind === "round" && record.roundId === stream.id)
          return (await ofRun(record.row.runId)) ?? home;
      }
      const projectId = await stored(stream);
      if (projectId === null) return home;
      known.set(key, projectId);
      for (const oldest of known.keys()) {
        if (known.size <= REMEMBERED_MAX) break;
        known.delete(oldest);
      }
      return projectId;
    },
    forget: () => known.clear(),
  };
}
