/*
 * What a search asks for, after its text has been read. Stores compile it; `match.ts` answers it for things in memory.
 */

export type Comparator =
  | "="
  | "!="
  | ">"
  | ">="
  | "<"
  | "<="
  | "LIKE"
  | "ILIKE"
  | "IN"
  | "NOT IN"
  | "IS NULL"
  | "IS NOT NULL";

export type Entity = "attribute" | "metric" | "param" | "tag" | "dataset";

/** Compares one thing. Conditions on what a thing lacks do not hold, except IS NULL. */
export interface Condition {
  readonly entity: Entity;
  readonly key: string;
  readonly comparator: Comparator;
  /** A number for metrics and times; a list for IN; null for IS NULL. */
  readonly value: string | number | readonly string[] | null;
}

export interface Ordering {
  readonly entity: Exclude<Entity, "dataset">;
  readonly key: string;
  readonly isAscending: boolean;
}
