import type { z } from "zod";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * What the logs of all kinds have in common: a row's event bears the version of its shape, and a fact of an earlier
 * version is brought forward before a schema judges it.
 *
 * | field of a row's event | holds                                                                |
 * | ---------------------- | -------------------------------------------------------------------- |
 * | version                | shape of the fact; a row without one is of version 1                 |
 * | fact                   | what happened                                                        |
 *
 * Whoever stores a row may keep other fields beside these.
 */

/** A row, of which nothing is believed but that it was read. Sequences count from 1. */
export interface LogRow {
  readonly sequence: number;
  readonly event: unknown;
}

/** A fact as it is stored: an object with a type, else unknown. */
export type StoredFact = Readonly<Record<string, unknown>>;
/** Makes a fact of version n into one of version n + 1; nothing of it is believed. */
export type Upcaster = (fact: StoredFact) => StoredFact;

/** Why one row cannot be read. */
export type FactError =
  /** Written by a later version of the program. */
  | { readonly type: "newer"; readonly sequence: number; readonly version: number }
  /** @param path  Of the field that is not as the schema says. */
  | { readonly type: "malformed"; readonly sequence: number; readonly path: string };

/**
 * The fact of one row, in today's shape.
 *
 * @param upcasters  One for each earlier version, so that today's is one more than they are.
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
