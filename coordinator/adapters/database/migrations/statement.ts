/** Which SQL a database speaks. */
export type Dialect = "postgresql" | "sqlite";

/** One text for both dialects, in PostgreSQL's words; one for each if they differ; null if one of them needs nothing. */
export type Statement = string | Readonly<Record<Dialect, string | null>>;

/** PostgreSQL's types and what a STRICT table of SQLite calls them; its texts compare byte by byte as they are. */
const SQLITE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bbigint\b/g, "integer"],
  [/\bboolean\b/g, "integer"],
  [/\bjson\b/g, "text"],
  [/\bbytea\b/g, "blob"],
  [/ collate "C"/g, ""],
];

/** The text of `statement` for `dialect`; null if there is nothing to do. */
export function statementFor(statement: Statement, dialect: Dialect): string | null {
  if (typeof statement !== "string") return statement[dialect];
  if (dialect === "postgresql") return statement;
  const text = SQLITE_WORDS.reduce((words, [from, to]) => words.replaceAll(from, to), statement);
  return /^\s*create table\b/.test(text) ? `${text} strict` : text;
}
