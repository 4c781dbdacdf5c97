import type { Compilable, CompiledQuery, Kysely } from "kysely";
import { assert } from "#shared/kernel/assert.ts";
import type { Database } from "./schema.ts";

/** Stands in a query for a value that each execution brings. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Executes a compiled query with these values, on its database or in a transaction of it. */
type Execute<Values, Row> = (db: Kysely<Database>, values: Values) => Promise<readonly Row[]>;

/**
 * A query for the paths that every message of a device takes, compiled once. To build and compile it takes Kysely longer
 * than SQLite takes to run it.
 *
 * @param build  Gets a function that names where each value goes. A name may come twice.
 */
export function compileOnce<Values extends object, Row>(
  build: (value: <Name extends keyof Values & string>(name: Name) => Values[Name]) => Compilable<Row>,
): Execute<Values, Row> {
  const { parameters: given, ...compiled }: CompiledQuery<Row> = build(placeholder).compile();
  return async (db, values) => {
    const parameters = given.map((parameter) =>
      parameter instanceof Placeholder ? valueNamed(values, parameter.name) : parameter,
    );
    return (await db.executeQuery<Row>({ ...compiled, parameters })).rows;
  };
}

/** Kysely passes on what it is given as a value, so the type that the column has is claimed here. */
function placeholder<Value>(name: string): Value {
  return new Placeholder(name) as Value;
}

function valueNamed(values: object, name: string): unknown {
  const value = (values as Readonly<Record<string, unknown>>)[name];
  assert(value !== undefined, `the query has no value for ${name}`);
  return value;
}
