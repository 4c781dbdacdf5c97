import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { OwnRunQuery, OwnRunSearch, ReadRuns, Stretch } from "#coordinator/core/ports/own-run-search.ts";
import type { Readable } from "#coordinator/core/ports/store.ts";
import { ON_DEVICES } from "#shared/tracking/own-runs.ts";
import { fittingCount, inBatches } from "../page.ts";
import { readableIn } from "../places.ts";
import { runRow } from "../queries.ts";
import type { Database } from "../schema.ts";
import { loggedOf } from "./runs.ts";
import { type Columns, conditionSql, orderingSql, type SqlDialect } from "./search.ts";

/* Searches for Chorus's own runs, as SQL over their rows and what is tracked of them. Rule L15. */

export function ownRunQueries(db: Kysely<Database>, dialect: SqlDialect): OwnRunSearch {
  return {
    findOwnRuns: (query, stretch) => findOwnRuns(db, dialect, query, stretch),
    countOwnRuns: ({ readable, conditions }) => countRuns(db, isFound(dialect, readable, conditions)),
    readOwnRuns: (runIds) => readOwnRuns(db, runIds),
    hasRunName: (readable, entity, key) => hasKey(db, TABLE_OF[entity], readable, key),
    listRunNames: async (readable) => ({
      params: await keysIn(db, TABLE_OF.param, readable),
      metrics: await keysIn(db, TABLE_OF.metric, readable),
      tags: await keysIn(db, "tracking_tag", readable),
    }),
  };
}

const TABLE_OF = { param: "tracking_param", metric: "tracking_newest_metric" } as const;

async function findOwnRuns(
  db: Kysely<Database>,
  dialect: SqlDialect,
  { readable, conditions, orderings }: OwnRunQuery,
  { limit, offset }: Stretch,
): Promise<readonly string[]> {
  const columns = ownColumns(dialect);
  const keys = orderings.map((ordering, index) =>
    orderingSql(ordering, index, columns, (text) => numberSql(text, dialect)),
  );
  const joins = sql.join(
    keys.map(({ join }) => join),
    sql` `,
  );
  const terms = [...keys.flatMap((key) => key.terms), sql`run.created_at desc`, sql`run.run_id desc`];
  const { rows } = await sql<{ run_id: string }>`
    select run.run_id from run ${joins} where ${isFound(dialect, readable, conditions)}
    order by ${sql.join(terms)} limit ${limit} offset ${offset}`.execute(db);
  return rows.map(({ run_id }) => run_id);
}

async function readOwnRuns(db: Kysely<Database>, runIds: readonly string[]): Promise<ReadRuns> {
  const byId = new Map<string, Selectable<Database["run"]>>();
  for (const batch of inBatches(runIds))
    for (const row of await db.selectFrom("run").selectAll().where("run_id", "in", batch).execute())
      byId.set(row.run_id, row);
  const rows = runIds.flatMap((runId) => byId.get(runId) ?? []);
  const shown = rows.slice(0, fittingCount(rows.map(({ view }) => view)));
  const next = rows[shown.length];
  const logged = await loggedOf(
    db,
    shown.map(({ run_id }) => run_id),
  );
  return {
    runs: shown.map((row) => {
      const { params, tags, metrics } = logged(row.run_id);
      return { runId: row.run_id, ...runRow(row), params, tags, metrics };
    }),
    readCount: next === undefined ? runIds.length : runIds.indexOf(next.run_id),
  };
}

function isFound(
  dialect: SqlDialect,
  readable: Readable,
  conditions: OwnRunQuery["conditions"],
): RawBuilder<unknown> {
  const columns = ownColumns(dialect);
  return sql.join(
    [isReadable(readable), ...conditions.map((condition) => conditionSql(condition, dialect, columns))],
    sql` and `,
  );
}

async function countRuns(db: Kysely<Database>, condition: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number | string }>`
    select count(*) as count from run where ${condition}`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

function isReadable(readable: Readable): RawBuilder<unknown> {
  return readableIn("run", "task", readable) ?? sql`true`;
}

async function keysIn(
  db: Kysely<Database>,
  table: "tracking_param" | "tracking_newest_metric" | "tracking_tag",
  readable: Readable,
): Promise<readonly string[]> {
  const { rows } = await sql<{ key: string }>`
    select distinct entry.key from ${sql.table(table)} as entry
    join run on run.run_id = entry.run_id where ${isReadable(readable)} order by entry.key`.execute(db);
  return rows.map(({ key }) => key);
}

async function hasKey(
  db: Kysely<Database>,
  table: "tracking_param" | "tracking_newest_metric",
  readable: Readable,
  key: string,
): Promise<boolean> {
  const { rows } = await sql`
    select 1 from ${sql.table(table)} as entry join run on run.run_id = entry.run_id
    where entry.key = ${key} and ${isReadable(readable)} limit 1`.execute(db);
  return rows.length > 0;
}

/** See `own-run-search.ts` of the ports. */
function ownColumns(dialect: SqlDialect): Columns {
  const tracked = (column: string) =>
    sql`(select ${sql.ref(`tracked.${column}`)} from tracking_run as tracked where tracked.run_id = run.run_id)`;
  const { rounds, judged, judgedOn, lastRound, lastSet } =
    dialect === "sqlite" ? SQLITE_VIEW : POSTGRESQL_VIEW;
  return {
    task: sql`run.task`,
    state: sql`run.state`,
    by: sql`run.actor`,
    run_id: sql`run.run_id`,
    run: sql`run.number`,
    version: sql`run.task_version`,
    started: sql`run.created_at`,
    ended: tracked("end_time"),
    run_name: tracked("name"),
    status: tracked("status"),
    rounds,
    // The column of the newest model is short; a run's view holds all of its curves.
    measured_on: sql`(case
      when ${judged} is not null then coalesce(${judgedOn}, 'unknown ' || run.run_id)
      when ${lastRound("history")} is not null
        then case when ${lastRound("history")} > 0 then coalesce(${lastSet}, 'unknown ' || run.run_id) end
      when ${lastRound("deviceHistory")} > 0 then cast(${ON_DEVICES} as text) end)`,
  };
}

/** Parts of a run's view, and of its newest model. */
interface ViewSql {
  readonly judged: RawBuilder<unknown>;
  readonly judgedOn: RawBuilder<unknown>;
  readonly rounds: RawBuilder<unknown>;
  readonly lastSet: RawBuilder<unknown>;
  lastRound(history: "history" | "deviceHistory"): RawBuilder<unknown>;
}

const SQLITE_VIEW: ViewSql = {
  judged: sql`json_extract(run.newest, '$.measures')`,
  judgedOn: sql`json_extract(run.newest, '$.measuredOn')`,
  rounds: sql`json_extract(run.view, '$.roundsCommitted')`,
  lastSet: sql`json_extract(run.view, '$.history[#-1].measuredOn')`,
  lastRound: (history) => sql`json_extract(run.view, ${`$.${history}[#-1].round`})`,
};
const POSTGRESQL_VIEW: ViewSql = {
  judged: sql`(run.newest ->> 'measures')`,
  judgedOn: sql`(run.newest ->> 'measuredOn')`,
  rounds: sql`cast(run.view ->> 'roundsCommitted' as double precision)`,
  lastSet: sql`(run.view -> 'history' -> -1 ->> 'measuredOn')`,
  lastRound: (history) => sql`cast(run.view -> ${sql.lit(history)} -> -1 ->> 'round' as double precision)`,
};

/** Null if the text is no number as JSON writes it. */
function numberSql(text: RawBuilder<unknown>, dialect: SqlDialect): RawBuilder<unknown> {
  return dialect === "sqlite"
    ? sql`case when json_valid(${text}) then case when json_type(${text}) in ('integer', 'real')
        then cast(${text} as real) end end`
    : sql`case when ${text} ~ '^-?[0-9]{1,30}([.][0-9]{1,30})?([eE][-+]?[0-9]{1,2})?$'
        then cast(${text} as double precision) end`;
}
