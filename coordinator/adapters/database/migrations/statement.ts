/** SQL dialect of a database. */
export type Dialect = "postgresql" | "sqlite";

/**
 * One text for both dialects, in PostgreSQL's words; one text each if they differ; null if a dialect needs
 * nothing.
 */
export type Statement = string | Readonly<Record<Dialect, string | null>>;

export const onSqlite = (sqlite: string): Statement => ({ sqlite, postgresql: null });
export const onPostgresql = (postgresql: string): Statement => ({ sqlite: null, postgresql });

/** PostgreSQL's types as SQLite's STRICT tables name them. SQLite already compares texts byte by byte. */
const SQLITE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bbigint\b/g, "integer"],
  [/\bboolean\b/g, "integer"],
  [/\bjson\b/g, "text"],
  [/\bbytea\b/g, "blob"],
  [/ collate "C"/g, ""],
];

/** The text of `statement` in `dialect`; null if there is nothing to do. */
export function statementFor(statement: Statement, dialect: Dialect): string | null {
  if (typeof statement !== "string") return statement[dialect];
  if (dialect === "postgresql") return statement;
  const text = SQLITE_WORDS.reduce((words, [from, to]) => words.replaceAll(from, to), statement);
  return /^\s*create table\b/.test(text) ? `${text} strict` : text;
}
