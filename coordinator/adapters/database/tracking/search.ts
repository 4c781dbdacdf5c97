import { type Kysely, type RawBuilder, sql } from "kysely";
import type { RunQuery } from "#coordinator/core/ports/run-query.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Condition, Ordering } from "#shared/tracking/condition.ts";
import type { Database } from "../schema.ts";

/* Searches for runs, as SQL. Every name and value is a bound parameter. */

export type SqlDialect = "sqlite" | "postgresql";

/** What an attribute is, by its name. */
export type Columns = Readonly<Record<string, RawBuilder<unknown>>>;

const COLUMNS: Columns = {
  run_id: sql`run.run_id`,
  run_name: sql`run.name`,
  status: sql`run.status`,
  user_id: sql`run.user_id`,
  artifact_uri: sql`run.artifact_uri`,
  start_time: sql`run.start_time`,
  end_time: sql`run.end_time`,
};

/** Ids in the order of the query. Rule L3. */
export async function searchRunIds(
  db: Kysely<Database>,
  dialect: SqlDialect,
  projectId: string,
  { experimentIds, shows, conditions, orderings, limit, offset }: RunQuery,
): Promise<readonly string[]> {
  if (experimentIds.length === 0) return [];
  const parts = [
    sql`run.project_id = ${projectId}`,
    sql`run.experiment_id in (${sql.join(experimentIds)})`,
    ...(shows === "all" ? [] : [sql`run.is_deleted = ${shows === "deleted"}`]),
    ...conditions.map((condition) => conditionSql(condition, dialect, COLUMNS)),
  ];
  const keys = orderings.map((ordering, index) => orderingSql(ordering, index, COLUMNS));
  const { rows } = await sql<{ run_id: string }>`
    select run.run_id from tracking_run as run
    ${sql.join(
      keys.map(({ join }) => join),
      sql` `,
    )}
    where ${sql.join(parts, sql` and `)}
    order by ${sql.join([...keys.flatMap(({ terms }) => terms), sql`run.start_time desc`, sql`run.run_id`])}
    limit ${limit} offset ${offset}`.execute(db);
  return rows.map(({ run_id }) => run_id);
}

/** Of a row whose table is called `run` and has a `run_id`. */
export function conditionSql(
  condition: Condition,
  dialect: SqlDialect,
  columns: Columns,
): RawBuilder<unknown> {
  const { entity, key, comparator } = condition;
  switch (entity) {
    case "attribute":
      return comparisonSql(column(columns, key), condition, dialect);
    case "dataset": {
      const place = sql.ref(`link.${key}`);
      return sql`exists (select 1 from tracking_link as link where link.run_id = run.run_id
        and link.kind = 'dataset' and ${comparisonSql(place, condition, dialect)})`;
    }
    case "metric":
      return sql`exists (select 1 from tracking_newest_metric as entry where entry.run_id = run.run_id
        and entry.key = ${key} and entry.is_nan = ${false} and ${comparisonSql(sql`entry.value`, condition, dialect)})`;
    default: {
      const table = sql.table(`tracking_${entity}`);
      const entry = sql`select 1 from ${table} as entry where entry.run_id = run.run_id and entry.key = ${key}`;
      if (comparator === "IS NULL") return sql`not exists (${entry})`;
      if (comparator === "IS NOT NULL") return sql`exists (${entry})`;
      return sql`exists (${entry} and ${comparisonSql(sql`entry.value`, condition, dialect)})`;
    }
  }
}

function column(columns: Columns, key: string): RawBuilder<unknown> {
  const found = Object.hasOwn(columns, key) ? columns[key] : undefined;
  assert(found !== undefined, `a run has no attribute ${key}`);
  return found;
}

function comparisonSql(
  place: RawBuilder<unknown>,
  { comparator, value }: Condition,
  dialect: SqlDialect,
): RawBuilder<unknown> {
  switch (comparator) {
    case "IN":
    case "NOT IN":
      assert(Array.isArray(value) && value.length > 0, "a list has values");
      return sql`${place} ${sql.raw(comparator)} (${sql.join(value)})`;
    case "LIKE":
      // SQLite's LIKE takes capitals for small letters.
      return dialect === "sqlite"
        ? sql`${place} glob ${globOf(String(value))}`
        : sql`${place} like ${value} escape ''`;
    case "ILIKE":
      return dialect === "sqlite" ? sql`${place} like ${value}` : sql`${place} ilike ${value} escape ''`;
    case "IS NULL":
    case "IS NOT NULL":
      return sql`${place} ${sql.raw(comparator)}`;
    default:
      // A fraction, or a number beyond its range, is no time in whole milliseconds, but may be asked for.
      return typeof value === "number"
        ? sql`${place} ${sql.raw(comparator)} cast(${value} as double precision)`
        : sql`${place} ${sql.raw(comparator)} ${value}`;
  }
}

/** The pattern of LIKE as one of SQLite's GLOB. */
function globOf(pattern: string): string {
  return pattern.replaceAll(/[*?[]/g, "[$&]").replaceAll("%", "*").replaceAll("_", "?");
}

interface OrderingSql {
  readonly join: RawBuilder<unknown>;
  readonly terms: readonly RawBuilder<unknown>[];
}

/**
 * @param numberOf  The number that a text is, or null; texts are ordered as such without it.
 */
export function orderingSql(
  { entity, key, isAscending }: Ordering,
  index: number,
  columns: Columns,
  numberOf?: (text: RawBuilder<unknown>) => RawBuilder<unknown>,
): OrderingSql {
  const direction = sql.raw(isAscending ? "asc" : "desc");
  if (entity === "attribute") {
    const place = column(columns, key);
    return {
      join: sql``,
      terms: [sql`case when ${place} is null then 1 else 0 end`, sql`${place} ${direction}`],
    };
  }
  const name = `key${index}`;
  const place = sql.ref(`${name}.value`);
  const table = sql.table(entity === "metric" ? "tracking_newest_metric" : `tracking_${entity}`);
  const join = sql`left join ${table} as ${sql.raw(name)}
      on ${sql.ref(`${name}.run_id`)} = run.run_id and ${sql.ref(`${name}.key`)} = ${key}`;
  if (entity === "param" && numberOf !== undefined) {
    const number = numberOf(place);
    const rank = sql`case when ${place} is null then 2 when ${number} is null then 1 else 0 end`;
    return { join, terms: [rank, sql`${number} ${direction}`, sql`${place} ${direction}`] };
  }
  const isNan = entity === "metric" ? sql`when ${sql.ref(`${name}.is_nan`)} then 1` : sql``;
  return {
    join,
    terms: [sql`case when ${place} is null then 2 ${isNan} else 0 end`, sql`${place} ${direction}`],
  };
}
