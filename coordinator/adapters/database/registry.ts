import { type Kysely, sql, type Transaction } from "kysely";
import type {
  ModelAliasRecord,
  ModelInUse,
  NumberedModel,
  RegistryStore,
} from "#coordinator/core/ports/registry-store.ts";
import type { ModelMetrics } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import { cursorNumber, EMPTY_LIST, fromJson, listed } from "./page.ts";
import type { Database } from "./schema.ts";

/** Followed by a task's slug. */
export const MODEL_COUNTER = "model-number/";

export function registryQueries(db: Kysely<Database>): RegistryStore {
  return {
    listModels: async (task, page) => {
      const before = page.cursor === undefined ? NUMBER_BEYOND : cursorNumber(page.cursor);
      if (before === null) return EMPTY_LIST;
      const rows = await models(db)
        .where("made.task", "=", task)
        .where("made.number", "<", before)
        .orderBy("made.number", "desc")
        .limit(page.limit + 1)
        .execute();
      return listed(rows, page, {
        itemOf: numberedModel,
        documentOf: (row) => row.made_metrics ?? "",
        cursorOf: (row) => String(row.made_number),
      });
    },
    findModel: async (task, number) => {
      const row = await models(db)
        .where("made.task", "=", task)
        .where("made.number", "=", number)
        .executeTakeFirst();
      return row === undefined ? null : numberedModel(row);
    },
    modelNumbers: async (runId) => {
      const rows = await db
        .selectFrom("model_version")
        .select(["round", "number"])
        .where("run_id", "=", runId)
        .where("number", "is not", null)
        .orderBy("round")
        .execute();
      return new Map(rows.flatMap(({ round, number }) => (number === null ? [] : [[round, number]])));
    },
    listAliases: async (task) => {
      const rows = await db
        .selectFrom("model_alias")
        .selectAll()
        .where("task", "=", task)
        .orderBy("alias")
        .execute();
      return rows.map(({ alias, number, moved_at, moved_by }) => {
        return { alias, number, movedAt: moved_at, movedBy: moved_by };
      });
    },
  };
}

/** Above every number of a model. */
const NUMBER_BEYOND = 2 ** 31 - 1;

/** Columns of `model_version made` and `run made_in`, under names of their own. */
export const MODEL_COLUMNS = [
  "made.task as made_task",
  "made.number as made_number",
  "made.run_id as made_run_id",
  "made.round as made_round",
  "made.model_hash as made_model_hash",
  "made.parent_hash as made_parent_hash",
  "made.metrics as made_metrics",
  "made.made_at as made_made_at",
  "made_in.number as made_run_number",
  "made_in.state as made_run_state",
  "made_in.task_version as made_task_version",
] as const;

/** True for the newest model of its run. */
export const isCandidate = sql<number | boolean>`not exists (
  select 1 from model_version later
  where later.run_id = made.run_id and later.round > made.round and later.number is not null
)`.as("made_is_candidate");

function models(db: Kysely<Database>) {
  return db
    .selectFrom("model_version as made")
    .innerJoin("run as made_in", "made_in.run_id", "made.run_id")
    .select(MODEL_COLUMNS)
    .select(isCandidate);
}

/** All null if no model was joined. */
export interface ModelColumns {
  readonly made_task: string | null;
  readonly made_number: number | null;
  readonly made_run_id: string | null;
  readonly made_round: number | null;
  readonly made_model_hash: string | null;
  readonly made_parent_hash: string | null;
  readonly made_metrics: string | null;
  readonly made_made_at: number | null;
  readonly made_run_number: number | null;
  readonly made_run_state: string | null;
  readonly made_task_version: number | null;
  readonly made_is_candidate: number | boolean;
}

/** The row must have a number. */
function numberedModel(row: ModelColumns): NumberedModel {
  const of = "a numbered model";
  return {
    task: present(row.made_task, of),
    number: present(row.made_number, of),
    runId: present(row.made_run_id, of),
    runNumber: present(row.made_run_number, of),
    runState: present(row.made_run_state, of),
    taskVersion: present(row.made_task_version, of),
    round: present(row.made_round, of),
    modelHash: present(row.made_model_hash, of),
    parentHash: row.made_parent_hash,
    // Written by the core.
    metrics: fromJson(row.made_metrics ?? "null") as ModelMetrics | null,
    isCandidate: Boolean(row.made_is_candidate),
    madeAt: present(row.made_made_at, of),
  };
}

export function modelInUse(row: ModelColumns & { readonly champion: number | null }): ModelInUse | null {
  if (row.made_number === null) return null;
  return { model: numberedModel(row), alias: row.champion === null ? null : "champion" };
}

/** @param projectId  Of the stream: the task's. */
export async function writeAlias(
  tx: Transaction<Database>,
  projectId: string,
  { task, alias, row }: ModelAliasRecord,
): Promise<void> {
  if (row === null) {
    await tx.deleteFrom("model_alias").where("task", "=", task).where("alias", "=", alias).execute();
    return;
  }
  const columns = { number: row.number, moved_at: row.movedAt, moved_by: row.movedBy };
  await tx
    .insertInto("model_alias")
    .values({ project_id: projectId, task, alias, ...columns })
    .onConflict((conflict) => conflict.columns(["task", "alias"]).doUpdateSet(columns))
    .execute();
}
