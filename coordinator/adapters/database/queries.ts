import { type Kysely, type Selectable, sql } from "kysely";
import type { Note } from "#coordinator/core/ports/note.ts";
import type {
  EventLog,
  ModelMetrics,
  RoundRow,
  RoundViews,
  RunRow,
  RunStore,
  StoredNote,
} from "#coordinator/core/ports/store.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { nextNumber } from "./counters.ts";
import { cursorNumber, EMPTY_LIST, fromJson, listed } from "./page.ts";
import { readableIn } from "./places.ts";
import type { Database } from "./schema.ts";
import { newestModel } from "./tasks.ts";

type LogQueries = Omit<EventLog, "append" | "appendNext">;

/** @param projectId  Names the counters of run numbers, whatever project a task belongs to. */
export function runQueries(db: Kysely<Database>, projectId: string): RunStore {
  return {
    openRunIds: async () => {
      const rows = await db
        .selectFrom("run")
        .select("run_id")
        .where("state", "not in", ["completed", "failed"])
        .orderBy("created_at")
        .orderBy("run_id")
        .execute();
      return rows.map((row) => row.run_id);
    },
    halfEndedRunIds: async () => {
      const rows = await db
        .selectFrom("round")
        .innerJoin("run", "run.run_id", "round.run_id")
        .select("run.run_id")
        .distinct()
        .where("run.state", "in", ["completed", "failed"])
        // Literals, as in the index `round_open`, which parameters would not match.
        .where(sql<boolean>`round.phase not in ('committed', 'voided', 'failed')`)
        .execute();
      return rows.map((row) => row.run_id);
    },
    // A counter, so that two simultaneous launches get different numbers.
    nextRunNumber: (task) => nextNumber(db, `run-number/${projectId}/${task}`),
    findRun: async (runId) => {
      const row = await db.selectFrom("run").selectAll().where("run_id", "=", runId).executeTakeFirst();
      return row === undefined ? null : runRow(row);
    },
    listRuns: async (filter, page) => {
      let query = db.selectFrom("run").selectAll();
      const readable = readableIn("run", "task", filter);
      if (readable !== null) query = query.where(readable);
      if (filter.task !== undefined) query = query.where("task", "=", filter.task);
      if (page.cursor !== undefined) {
        const [, createdAt, runId] = /^(\d{1,15})\.([0-9a-zA-Z-]{1,64})$/.exec(page.cursor) ?? [];
        if (createdAt === undefined || runId === undefined) return EMPTY_LIST;
        query = query.where(
          sql<boolean>`(created_at, run_id) < (cast(${Number(createdAt)} as bigint), cast(${runId} as text))`,
        );
      }
      const rows = await query
        .orderBy("created_at", "desc")
        .orderBy("run_id", "desc")
        .limit(page.limit + 1)
        .execute();
      return listed(rows, page, {
        itemOf: (row) => ({ runId: row.run_id, ...runRow(row) }),
        documentOf: (row) => row.view,
        cursorOf: (row) => `${row.created_at}.${row.run_id}`,
      });
    },
    ...roundQueries(db),
  };
}

function roundQueries(
  db: Kysely<Database>,
): Pick<RunStore, "findRound" | "listRounds" | "listModelVersions" | "findOffer"> {
  return {
    findRound: async (roundId) => {
      const row = await db.selectFrom("round").selectAll().where("round_id", "=", roundId).executeTakeFirst();
      return row === undefined ? null : roundRow(row);
    },
    listRounds: async (runId, page) => {
      const after = page.cursor === undefined ? -1 : cursorNumber(page.cursor);
      if (after === null || after >= 2 ** 31) return EMPTY_LIST;
      const rows = await db
        .selectFrom("round")
        .selectAll()
        .where("run_id", "=", runId)
        .where("round", ">", after)
        .orderBy("round")
        .limit(page.limit + 1)
        .execute();
      return listed(rows, page, {
        itemOf: (row) => ({ roundId: row.round_id, ...roundRow(row) }),
        documentOf: (row) => row.view,
        cursorOf: (row) => String(row.round),
      });
    },
    listModelVersions: async (runId) => {
      const rows = await db
        .selectFrom("model_version")
        .selectAll()
        .where("run_id", "=", runId)
        .orderBy("round")
        .execute();
      return rows.map((row) => ({
        runId: row.run_id,
        round: row.round,
        modelHash: row.model_hash,
        parentHash: row.parent_hash,
        strategyStateHash: row.strategy_state_hash,
        metrics: fromJson(row.metrics) as ModelMetrics | null,
      }));
    },
    findOffer: async (modelHash) => {
      const row = await db
        .selectFrom("model_offer")
        .selectAll()
        .where("model_hash", "=", modelHash)
        .executeTakeFirst();
      return row === undefined ? null : { runId: row.run_id, openedSid: row.opened_sid };
    },
  };
}

export interface RunColumns {
  readonly run_id: string;
  readonly project_id: string;
  readonly task: string;
  readonly task_version: number;
  readonly number: number;
  readonly state: string;
  readonly actor: string;
  readonly created_at: number;
  readonly view: string;
  readonly newest: string | null;
}
export function runRow(row: RunColumns): RunRow {
  return {
    projectId: row.project_id,
    task: row.task,
    taskVersion: row.task_version,
    number: row.number,
    state: row.state,
    actor: row.actor,
    createdAt: row.created_at,
    // Written by the driver of this or an earlier version. The API's schema says what earlier ones may lack.
    view: fromJson(row.view) as RunView,
    newest: newestModel(row.newest),
  };
}

interface RoundColumns {
  readonly round_id: string;
  readonly run_id: string;
  readonly round: number;
  readonly phase: string;
  readonly view: string;
}
function roundRow(row: RoundColumns): RoundRow {
  return { runId: row.run_id, round: row.round, phase: row.phase, view: fromJson(row.view) as RoundViews };
}

export function logQueries(db: Kysely<Database>): LogQueries {
  return {
    readStream: async (stream) => {
      const rows = await db
        .selectFrom("event")
        .select(["sequence", "at", "body"])
        .where("stream_kind", "=", stream.kind)
        .where("stream_id", "=", stream.id)
        .orderBy("sequence")
        .execute();
      return rows.map((row) => ({ sequence: row.sequence, at: row.at, event: fromJson(row.body) }));
    },
    readNotes: async (stream) => {
      const rows = await db
        .selectFrom("note")
        .selectAll()
        .where("stream_kind", "=", stream.kind)
        .where("stream_id", "=", stream.id)
        .orderBy("sequence")
        .execute();
      return rows.map(storedNote);
    },
    listNotes: async (runId, page) => {
      const before = page.cursor === undefined ? Number.MAX_SAFE_INTEGER : cursorNumber(page.cursor);
      if (before === null) return EMPTY_LIST;
      const rows = await db
        .selectFrom("note")
        .selectAll()
        .where("run_id", "=", runId)
        .where("position", "<", before)
        .orderBy("position", "desc")
        .limit(page.limit + 1)
        .execute();
      return listed(rows, page, {
        itemOf: storedNote,
        documentOf: (row) => row.body,
        cursorOf: (row) => String(row.position),
      });
    },
    auditLeaves: async (page) => {
      const after = page.cursor === undefined ? 0 : cursorNumber(page.cursor);
      if (after === null) return EMPTY_LIST;
      const rows = await db
        .selectFrom("audit_leaf")
        .select(["sequence", "kind", "body"])
        .where("sequence", ">", after)
        .orderBy("sequence")
        .limit(page.limit + 1)
        .execute();
      return listed(rows, page, {
        itemOf: (row) => ({ sequence: row.sequence, kind: row.kind, body: fromJson(row.body) }),
        documentOf: (row) => row.body,
        cursorOf: (row) => String(row.sequence),
      });
    },
  };
}

function storedNote(row: Selectable<Database["note"]>): StoredNote {
  return {
    stream: { kind: row.stream_kind, id: row.stream_id },
    sequence: row.sequence,
    at: row.at,
    // Written by the core.
    note: fromJson(row.body) as Note,
  };
}
