import { type Kysely, sql } from "kysely";
import type { NewestModel, Page, StoredTask, TaskStore } from "#coordinator/core/ports/store.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { taskSettingsSchema } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import { cursorNumber, EMPTY_LIST, fromJson, listed } from "./page.ts";
import { placeQueries, readableIn } from "./places.ts";
import { isCandidate, MODEL_COLUMNS, type ModelColumns, modelInUse } from "./registry.ts";
import type { Database } from "./schema.ts";

export function taskQueries(db: Kysely<Database>): TaskStore {
  // Joins the newest run that has a model, through its index, so that a page of tasks is one query.
  const tasks = () =>
    db
      .selectFrom("task")
      .selectAll("task")
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
      .leftJoin("model_alias", (join) =>
        join.onRef("model_alias.task", "=", "task.slug").on("model_alias.alias", "=", "champion"),
      )
      .select("model_alias.number as champion")
      .leftJoin("model_version as made", (join) =>
        join.onRef("made.task", "=", "task.slug").on("made.number", "=", inUse),
      )
      .leftJoin("run as made_in", "made_in.run_id", "made.run_id")
      .select(MODEL_COLUMNS)
      .select(isCandidate);
  /** One page of these tasks. */
  const page = async (
    candidates: Candidates,
    order: "slug" | "version desc",
    asked: Page,
    cursorOf: (row: { readonly slug: string; readonly version: number }) => string,
  ) => {
    const rows = await tasks()
      .innerJoin(sized(db, candidates, order).as("sized"), (join) =>
        join.onRef("sized.slug", "=", "task.slug").onRef("sized.version", "=", "task.version"),
      )
      // Of the tasks that do not fit the page, only the first is read: it tells that there are more.
      .where(
        sql<boolean>`(byte_count_through - byte_count <= ${sql.lit(LIMITS.pageByteCountMax)} or place = 2)`,
      )
      .orderBy("place")
      .execute();
    return listed(rows, asked, { itemOf: storedTask, documentOf: (row) => row.body, cursorOf });
  };
  return {
    findTask: async (slug, version) => {
      const all = tasks().where("task.slug", "=", slug);
      const one =
        version === undefined
          ? all.orderBy("task.version", "desc").limit(1)
          : all.where("task.version", "=", version);
      const row = await one.executeTakeFirst();
      return row === undefined ? null : storedTask(row);
    },
    listTaskVersions: async (slug) => {
      const rows = await db
        .selectFrom("task")
        .select("version")
        .where("slug", "=", slug)
        .orderBy("version")
        .execute();
      return rows.map(({ version }) => version);
    },
    ...placeQueries(db),
    countTasks: async () => {
      const rows = await db
        .selectFrom("task")
        .select("project_id")
        .select((table) => table.fn.count<number>("slug").distinct().as("count"))
        .groupBy("project_id")
        .execute();
      return new Map(rows.map((row) => [row.project_id, Number(row.count)]));
    },
    listTasks: async (readable, asked) => {
      const after = asked.cursor ?? "";
      if (!/^[a-z0-9-]{0,64}$/.test(after)) return EMPTY_LIST;
      return page(newest(db, readable, after, asked.limit), "slug", asked, ({ slug }) => slug);
    },
    listVersions: async (slug, asked) => {
      const before = asked.cursor === undefined ? VERSION_BEYOND : cursorNumber(asked.cursor);
      if (before === null) return EMPTY_LIST;
      const versions = sizedTasks(db)
        .where("slug", "=", slug)
        .where("version", "<", before)
        .orderBy("version", "desc")
        .limit(asked.limit + 1);
      return page(versions, "version desc", asked, ({ version }) => String(version));
    },
  };
}

/** The champion's number; without one, the newest. */
const inUse = sql<number>`coalesce(
  model_alias.number,
  (select max(newest.number) from model_version newest where newest.task = task.slug and newest.number is not null)
)`;

type ListedTasks = Parameters<TaskStore["listTasks"]>[0];

const isOpen = sql<boolean>`not exists (
  select 1 from task_settings
  where task_settings.project_id = task.project_id and task_settings.slug = task.slug and task_settings.archived
)`;

/** Above every number of a version. */
const VERSION_BEYOND = 2 ** 31 - 1;

const sizedTasks = (db: Kysely<Database>) =>
  db
    .selectFrom("task")
    .select(["slug", "version", sql<number>`octet_length(cast(body as text))`.as("byte_count")]);
type Candidates = ReturnType<typeof sizedTasks>;

/** The newest versions after a slug. */
function newest(db: Kysely<Database>, readable: ListedTasks, after: string, limit: number): Candidates {
  let found = sizedTasks(db)
    .where("slug", ">", after)
    .where("version", "=", (from) =>
      from
        .selectFrom("task as other")
        .select((column) => column.fn.max("other.version").as("version"))
        .whereRef("other.slug", "=", "task.slug"),
    )
    .orderBy("slug")
    .limit(limit + 1);
  const condition = readableIn("task", "slug", readable);
  if (condition !== null) found = found.where(condition);
  if (readable.archived !== true) found = found.where(isOpen);
  return found;
}

/** Candidates for a page in this order, each with its bytes and those of the page up to and including it. */
function sized(db: Kysely<Database>, candidates: Candidates, order: "slug" | "version desc") {
  const by = sql.raw(order);
  return db
    .selectFrom(candidates.as("candidate"))
    .select(["slug", "version", "byte_count"])
    .select(sql<number>`sum(byte_count) over (order by ${by})`.as("byte_count_through"))
    .select(sql<number>`row_number() over (order by ${by})`.as("place"));
}

function storedTask(
  row: {
    project_id: string;
    body: string;
    task_hash: string;
    created_at: number;
    actor: string;
    newest: string | null;
    settings: string | null;
    champion: number | null;
  } & ModelColumns,
): StoredTask {
  return {
    projectId: row.project_id,
    // Validated when it was created. The schema stays compatible with stored versions.
    task: fromJson(row.body) as Task,
    taskHash: row.task_hash,
    createdAt: row.created_at,
    actor: row.actor,
    newest: newestModel(row.newest),
    inUse: modelInUse(row),
    settings: taskSettingsSchema.parse(row.settings === null ? {} : fromJson(row.settings)),
  };
}

export function newestModel(text: string | null): NewestModel | null {
  return text === null ? null : (fromJson(text) as NewestModel);
}
