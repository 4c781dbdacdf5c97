import { type Kysely, type RawBuilder, sql } from "kysely";
import {
  AUTH_MODELS,
  type AuthCondition,
  type AuthModel,
  type AuthRecord,
  type AuthRecords,
} from "#coordinator/core/ports/auth-records.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Database } from "./schema.ts";

/*
 * Statements are built from the tables and fields listed here and in `AUTH_MODELS`, and from nothing else. A name is looked
 * up before it becomes SQL; values are always parameters.
 */

const TABLES: Readonly<Record<AuthModel, string>> = {
  user: "auth_user",
  session: "auth_session",
  account: "auth_account",
  verification: "auth_verification",
  passkey: "passkey",
};
const OPERATORS = { lt: sql`<`, gt: sql`>` } as const;
const DIRECTIONS = { asc: sql`asc`, desc: sql`desc` } as const;

type Row = Readonly<Record<string, unknown>>;

/** Records of the sign-in library. */
export function authRecords(db: Kysely<Database>): AuthRecords {
  return {
    createAuthRecord: async (model, record) => {
      const fields = Object.keys(fieldsOf(model));
      const columns = sql.join(fields.map((field) => column(model, field)));
      const values = sql.join(fields.map((field) => parameter((record as Row)[field], `${model}.${field}`)));
      const { rows } = await sql`
        insert into ${table(model)} (${columns}) values (${values}) on conflict do nothing returning 1 as one
      `.execute(db);
      return rows.length === 1 ? "created" : "exists";
    },
    findAuthRecords: async <Model extends AuthModel>(
      model: Model,
      where: readonly AuthCondition<Model>[],
      { limit, offset = 0, sortBy }: Parameters<AuthRecords["findAuthRecords"]>[2],
    ) => {
      const order =
        sortBy === undefined
          ? sql``
          : sql`order by ${column(model, sortBy.field)} ${oneOf(DIRECTIONS, sortBy.direction)}`;
      const { rows } = await sql<Row>`
        select * from ${table(model)} where ${all(model, where)} ${order} limit ${limit} offset ${offset}
      `.execute(db);
      return rows.map((row) => recordOf(model, row));
    },
    updateAuthRecords: async (model, where, changes) => {
      const sets = Object.entries(changes).map(
        ([field, value]) => sql`${column(model, field)} = ${parameter(value, `${model}.${field}`)}`,
      );
      assert(sets.length > 0, "a change changes something");
      const { rows } = await sql<Row>`
        update ${table(model)} set ${sql.join(sets)} where ${all(model, where)} returning *
      `.execute(db);
      return rows.map((row) => recordOf(model, row));
    },
    removeAuthRecords: async (model, where) => {
      const { rows } = await sql<Row>`
        delete from ${table(model)} where ${all(model, where)} returning *
      `.execute(db);
      return rows.map((row) => recordOf(model, row));
    },
    countAuthRecords: async (model, where) => {
      const { rows } = await sql<{ count: number }>`
        select count(*) as count from ${table(model)} where ${all(model, where)}
      `.execute(db);
      return Number(rows[0]?.count ?? 0);
    },
  };
}

function fieldsOf(model: AuthModel): Readonly<Record<string, string>> {
  return oneOf(AUTH_MODELS, model);
}

function table(model: AuthModel): RawBuilder<unknown> {
  return sql.table(oneOf(TABLES, model));
}

function column(model: AuthModel, field: string): RawBuilder<unknown> {
  oneOf(fieldsOf(model), field);
  return sql.ref(columnOf(field));
}

/** Only for a field of `AUTH_MODELS`. */
function columnOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function oneOf<Entries extends object>(entries: Entries, name: string): Entries[keyof Entries] {
  assert(
    Object.hasOwn(entries, name),
    `${JSON.stringify(name)} is not one of ${Object.keys(entries).join(", ")}`,
  );
  return entries[name as keyof Entries];
}

function all<Model extends AuthModel>(
  model: Model,
  where: readonly AuthCondition<Model>[],
): RawBuilder<unknown> {
  if (where.length === 0) return sql`true`;
  return sql.join(
    where.map((condition) => holds(model, condition)),
    sql` and `,
  );
}

function holds<Model extends AuthModel>(model: Model, condition: AuthCondition<Model>): RawBuilder<unknown> {
  const left = column(model, condition.field);
  const name = `${model}.${condition.field}`;
  if (condition.operator === "eq") {
    return condition.value === null
      ? sql`${left} is null`
      : sql`${left} = ${parameter(condition.value, name)}`;
  }
  if (condition.operator === "in") {
    assert(Array.isArray(condition.value), `a list for ${name}`);
    if (condition.value.length === 0) return sql`false`;
    return sql`${left} in (${sql.join(condition.value.map((value) => parameter(value, name)))})`;
  }
  const isNumber = ["time", "time?", "count"].includes(oneOf(fieldsOf(model), condition.field));
  assert(isNumber, `${name} has no order`);
  return sql`${left} ${oneOf(OPERATORS, condition.operator)} ${parameter(condition.value, name)}`;
}

/** SQLite has no booleans, and PostgreSQL takes 1 and 0 for none. Both take a literal. */
function parameter(value: unknown, name: string): RawBuilder<unknown> {
  if (value === true) return sql`true`;
  if (value === false) return sql`false`;
  const isPlain =
    value === null || typeof value === "string" || Number.isSafeInteger(value) || value instanceof Uint8Array;
  assert(isPlain, `${name} takes no such value`);
  return sql`${value}`;
}

function recordOf<Model extends AuthModel>(model: Model, row: Row): AuthRecord<Model> {
  const entries = Object.entries(fieldsOf(model)).map(([field, type]) => {
    const value = row[columnOf(field)];
    if (type === "flag") return [field, Boolean(value)];
    return [field, value instanceof Uint8Array ? new Uint8Array(value) : value];
  });
  // The columns have the types that `AUTH_MODELS` says.
  return Object.fromEntries(entries) as AuthRecord<Model>;
}
