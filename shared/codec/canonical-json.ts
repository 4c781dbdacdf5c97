import { AssertionFault, assert } from "../kernel/assert.ts";

/** A JSON value. A property whose value is `undefined` counts as absent. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * The canonical JSON text of a value, for hashing: no white space, keys sorted by UTF-16 code units.
 *
 * By hand, because `canonicalize` writes undefined in a list as null, and a function as text that is not JSON. Here both are
 * faults: different values must not share a hash.
 *
 * @throws AssertionFault on NaN, an infinity, a lone surrogate or a value that is not JSON.
 * Source: RFC 8785 (JSON Canonicalization Scheme); numbers and strings as ECMAScript prints them, section 3.2.2.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    assert(Number.isFinite(value), "JSON has no such number");
    return JSON.stringify(value);
  }
  if (typeof value === "string") {
    assert(!/\p{Surrogate}/u.test(value), "lone surrogate");
    return JSON.stringify(value);
  }
  if (isList(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value !== "object") throw new AssertionFault("not a JSON value");
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${canonicalJson(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join()}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
