import { type Kysely, sql } from "kysely";
import type { Store } from "#coordinator/core/ports/ports.ts";
import { accessQueries } from "./access.ts";
import { appender } from "./append.ts";
import { authRecords } from "./auth-records.ts";
import { projectDeletion } from "./deletion.ts";
import { evidenceQueries } from "./evidence.ts";
import { leafQueries } from "./leaves.ts";
import { logQueries, runQueries } from "./queries.ts";
import { registryQueries } from "./registry.ts";
import type { Database } from "./schema.ts";
import { smallFacts } from "./small-facts.ts";
import { streamProjects } from "./stream-projects.ts";
import { taskQueries } from "./tasks.ts";
import { trackingQueries } from "./tracking/index.ts";
import { transcriptQueries } from "./transcripts.ts";
import { materialQueries, uploadQueries } from "./uploads.ts";

/** A migrated database. */
export interface OpenDatabase {
  readonly kind: Store["kind"];
  readonly db: Kysely<Database>;
  /** Whether it had tables before it was opened. */
  readonly wasMade: boolean;
  /** Closes the database, after which the Kysely instance is unusable. */
  readonly close: () => Promise<void>;
}

/**
 * The `Store` for both databases.
 *
 * @param projectId  Of rows that belong to no task, and of all rows that earlier versions made.
 * Errors: expected ones are in the results; all others (a lost connection, a full disk) reject. After a
 *   rejected write the outcome is unknown: stop, reload, go on.
 */
export function createStore({ kind, db, close }: Omit<OpenDatabase, "wasMade">, projectId: string): Store {
  const projects = streamProjects(db, projectId);
  const tasks = taskQueries(db);
  const runs = runQueries(db, projectId);
  return {
    kind,
    ...appender(db, projects),
    ...logQueries(db),
    ...tasks,
    ...runs,
    ...registryQueries(db),
    showTask: tasks.findTask,
    showRun: runs.findRun,
    showRound: runs.findRound,
    ...materialQueries(db),
    ...uploadQueries(db),
    ...transcriptQueries(db, projectId),
    ...evidenceQueries(db, projectId),
    ...smallFacts(db, projectId),
    ...accessQueries(db),
    ...leafQueries(db, projectId),
    ...projectDeletion(db, projects),
    ...authRecords(db),
    ...trackingQueries(db, kind === "embedded" ? "sqlite" : "postgresql"),
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    close,
  };
}
