import { AssertionFault, assert } from "../kernel/assert.ts";

/** What JSON can say; `undefined` as a property's value means that the property is absent. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * The one JSON text of a value, for hashing: no white space, keys in order of their UTF-16 code units.
 *
 * @throws AssertionFault on a number that JSON has not, a lone surrogate, or a value that is no JSON.
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
