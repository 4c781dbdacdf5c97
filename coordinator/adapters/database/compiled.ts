import type { Compilable, CompiledQuery, Kysely } from "kysely";
import { assert } from "#shared/kernel/assert.ts";
import type { Database } from "./schema.ts";

/** Placeholder for a value that is supplied at each execution. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Executes a compiled query with these values, on its database or in a transaction. */
type Execute<Values, Row> = (db: Kysely<Database>, values: Values) => Promise<readonly Row[]>;

/**
 * A query for paths that every device message takes, compiled once: Kysely needs longer to build and compile
 * it than SQLite to run it.
 *
 * @param build  Gets a function that marks where each value goes. A name may be used twice.
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

/** Claims the column's type: Kysely passes a placeholder on like any value. */
function placeholder<Value>(name: string): Value {
  return new Placeholder(name) as Value;
}

function valueNamed(values: object, name: string): unknown {
  const value = (values as Readonly<Record<string, unknown>>)[name];
  assert(value !== undefined, `the query has no value for ${name}`);
  return value;
}
