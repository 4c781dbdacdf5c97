import { type Kysely, sql } from "kysely";
import type { RoundViews } from "#coordinator/core/round-view.ts";
import type {
  EventLog,
  NewestModel,
  RoundRow,
  RunRow,
  RunStore,
  StoredTask,
  StreamId,
  TaskStore,
} from "#coordinator/core/store.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { taskSettingsSchema } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import { nextNumber } from "./append.ts";
import { cursorNumber, EMPTY_LIST, fromJson, listed } from "./page.ts";
import type { Database } from "./schema.ts";

type LogQueries = Omit<EventLog, "append" | "appendNext">;

export function taskQueries(db: Kysely<Database>, projectId: string): TaskStore {
  // The newest run with a model comes along from its index, so that a page of tasks is one query.
  const tasks = () =>
    db
      .selectFrom("task")
      .selectAll()
      .select((from) =>
        from
          .selectFrom("run")
          .select("run.newest")
          .whereRef("run.project_id", "=", "task.project_id")
          .whereRef("run.task", "=", "task.slug")
          .where("run.newest", "is not", null)
          .orderBy("run.created_at", "desc")
          .orderBy("run.run_id", "desc")
          .limit(1)
          .as("newest"),
      )
      .select((from) =>
        from
          .selectFrom("task_settings")
          .select("task_settings.body")
          .whereRef("task_settings.project_id", "=", "task.project_id")
          .whereRef("task_settings.slug", "=", "task.slug")
          .as("settings"),
      )
      .where("task.project_id", "=", projectId);
  return {
    findTask: async (slug, version) => {
      const all = tasks().where("slug", "=", slug);
      const one =
        version === undefined ? all.orderBy("version", "desc").limit(1) : all.where("version", "=", version);
      const row = await one.executeTakeFirst();
      return row === undefined ? null : storedTask(row);
    },
    listTasks: async (page) => {
      const after = page.cursor ?? "";
      if (!/^[a-z0-9-]{0,64}$/.test(after)) return EMPTY_LIST;
      const rows = await tasks()
        .where("slug", ">", after)
        .where("version", "=", (from) =>
          from
            .selectFrom("task as other")
            .select((column) => column.fn.max("other.version").as("version"))
            .whereRef("other.project_id", "=", "task.project_id")
            .whereRef("other.slug", "=", "task.slug"),
        )
        .orderBy("slug")
        .limit(page.limit + 1)
        .execute();
      return listed(rows, page, storedTask, (row) => row.slug);
    },
  };
}

function storedTask(row: {
  body: string;
  task_hash: string;
  created_at: number;
  actor: string;
  newest: string | null;
  settings: string | null;
}): StoredTask {
  return {
    // It was validated when it came in; the schema of a stored version does not change under it.
    task: fromJson(row.body) as Task,
    taskHash: row.task_hash,
    createdAt: row.created_at,
    actor: row.actor,
    newest: newestModel(row.newest),
    settings: taskSettingsSchema.parse(row.settings === null ? {} : fromJson(row.settings)),
  };
}

function newestModel(text: string | null): NewestModel | null {
  return text === null ? null : (fromJson(text) as NewestModel);
}

export function runQueries(db: Kysely<Database>, projectId: string): RunStore {
  return {
    openRunIds: async () => {
      const rows = await db
        .selectFrom("run")
        .select("run_id")
        .where("project_id", "=", projectId)
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
        .where("run.project_id", "=", projectId)
        .where("run.state", "in", ["completed", "failed"])
        // Literals, as in the index `round_open`: with parameters it would not be used.
        .where(sql<boolean>`round.phase not in ('committed', 'voided', 'failed')`)
        .execute();
      return rows.map((row) => row.run_id);
    },
    // Handed out, not looked up: two launches at once get two numbers.
    nextRunNumber: (task) => nextNumber(db, `run-number/${projectId}/${task}`),
    findRun: async (runId) => {
      const row = await db.selectFrom("run").selectAll().where("run_id", "=", runId).executeTakeFirst();
      return row === undefined ? null : runRow(row);
    },
    listRuns: async (filter, page) => {
      let query = db.selectFrom("run").selectAll().where("project_id", "=", projectId);
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
      const itemOf = (row: RunColumns) => ({ runId: row.run_id, ...runRow(row) });
      return listed(rows, page, itemOf, (row) => `${row.created_at}.${row.run_id}`);
    },
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
      const itemOf = (row: RoundColumns) => ({ roundId: row.round_id, ...roundRow(row) });
      return listed(rows, page, itemOf, (row) => String(row.round));
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
        metrics: fromJson(row.metrics),
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

interface RunColumns {
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
function runRow(row: RunColumns): RunRow {
  return {
    projectId: row.project_id,
    task: row.task,
    taskVersion: row.task_version,
    number: row.number,
    state: row.state,
    actor: row.actor,
    createdAt: row.created_at,
    // The driver made it, of this version or an earlier one; the schema of the API says what those may lack.
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
  const streamRows = (stream: StreamId) =>
    db
      .selectFrom("event")
      .select(["sequence", "at", "body"])
      .where("stream_kind", "=", stream.kind)
      .where("stream_id", "=", stream.id)
      .orderBy("sequence");
  const stored = (row: { sequence: number; at: number; body: string }) => ({
    sequence: row.sequence,
    at: row.at,
    event: fromJson(row.body),
  });
  return {
    readStream: async (stream) => (await streamRows(stream).execute()).map(stored),
    readShown: async (stream) => (await streamRows(stream).where(sql<boolean>`shown`).execute()).map(stored),
    listEvents: async (runId, page) => {
      const before = page.cursor === undefined ? Number.MAX_SAFE_INTEGER : cursorNumber(page.cursor);
      if (before === null) return EMPTY_LIST;
      const rows = await db
        .selectFrom("event")
        .selectAll()
        .where("run_id", "=", runId)
        .where("position", "<", before)
        // In the words of the index, which serves no other.
        .where(sql<boolean>`shown`)
        .orderBy("position", "desc")
        .limit(page.limit + 1)
        .execute();
      return listed(
        rows,
        page,
        (row) => ({
          stream: { kind: row.stream_kind, id: row.stream_id } satisfies StreamId,
          stored: { sequence: row.sequence, at: row.at, event: fromJson(row.body) },
        }),
        (row) => String(row.position),
      );
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
      return listed(
        rows,
        page,
        (row) => ({ sequence: row.sequence, kind: row.kind, body: fromJson(row.body) }),
        (row) => String(row.sequence),
      );
    },
  };
}
