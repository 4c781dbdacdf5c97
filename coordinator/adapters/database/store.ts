import { type Kysely, sql } from "kysely";
import type { Store } from "#coordinator/core/ports.ts";
import { appender } from "./append.ts";
import { evidenceQueries } from "./evidence.ts";
import { logQueries, runQueries, taskQueries } from "./queries.ts";
import type { Database } from "./schema.ts";
import { smallFacts } from "./small-facts.ts";
import { transcriptQueries } from "./transcripts.ts";
import { materialQueries, uploadQueries } from "./uploads.ts";

/** A migrated database and what is known about it. */
export interface OpenDatabase {
  readonly kind: Store["kind"];
  readonly db: Kysely<Database>;
  /** Whether it had tables before it was opened. */
  readonly wasMade: boolean;
  /** Ends what `openDatabase` began; the Kysely instance is not used afterwards. */
  readonly close: () => Promise<void>;
}

/**
 * `Store` once for both databases.
 *
 * Errors: what is expected is in the results; everything else (a lost connection, a full disk) rejects. After a
 * rejected write the outcome is unknown: stop, reload, go on.
 */
export function createStore({ kind, db, close }: Omit<OpenDatabase, "wasMade">, projectId: string): Store {
  return {
    kind,
    ...appender(db, projectId),
    ...logQueries(db),
    ...taskQueries(db, projectId),
    ...runQueries(db, projectId),
    ...materialQueries(db, projectId),
    ...uploadQueries(db, projectId, kind),
    ...transcriptQueries(db, projectId),
    ...evidenceQueries(db, projectId),
    ...smallFacts(db, projectId),
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    close,
  };
}
