import type { z } from "zod";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * The row format that all logs share. A row's event states the version of its shape, and a fact of an earlier version is
 * upcast before a schema checks it.
 *
 * | field of a row's event | holds                                                                |
 * | ---------------------- | -------------------------------------------------------------------- |
 * | version                | version of the fact's shape; 1 if absent                             |
 * | fact                   | what happened                                                        |
 *
 * A log may store other fields beside these.
 */

/** A row as read, not validated yet. Sequences count from 1. */
export interface LogRow {
  readonly sequence: number;
  readonly event: unknown;
}

/** A stored fact: an object that is not validated yet. */
export type StoredFact = Readonly<Record<string, unknown>>;
/** Turns a fact of version n into one of version n + 1. The fact is not validated yet. */
export type Upcaster = (fact: StoredFact) => StoredFact;

/** Why one row cannot be read. */
export type FactError =
  /** Written by a later version of the program. */
  | { readonly type: "newer"; readonly sequence: number; readonly version: number }
  /** @param path  Path of the field that does not fit the schema. */
  | { readonly type: "malformed"; readonly sequence: number; readonly path: string };

/**
 * The fact of one row, in the current shape.
 *
 * @param upcasters  One for each earlier version, so the current version is their number plus one.
 */
export function factOf<Schema extends z.ZodType>(
  { sequence, event }: LogRow,
  upcasters: readonly Upcaster[],
  schema: Schema,
): Result<z.output<Schema>, FactError> {
  if (!isObject(event)) return err({ type: "malformed", sequence, path: "" });
  const { version = 1, fact: stored } = event;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1)
    return err({ type: "malformed", sequence, path: "version" });
  if (version > upcasters.length + 1) return err({ type: "newer", sequence, version });
  if (!isObject(stored)) return err({ type: "malformed", sequence, path: "fact" });
  const fact = upcasters.slice(version - 1).reduce((older, upcast) => upcast(older), stored);
  const parsed = schema.safeParse(fact);
  if (parsed.success) return ok(parsed.data);
  const path = ["fact", ...(parsed.error.issues[0]?.path ?? [])].join(".");
  return err({ type: "malformed", sequence, path });
}

export function isObject(value: unknown): value is StoredFact {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
