import { z } from "zod";
import { LIMITS } from "./limits.ts";

/*
 * What is wrong with a value, field by field: answers of the API, the page that makes a task and the command say it in the
 * same words.
 */

export const fieldErrorSchema = z.strictObject({
  /** Names of the fields from the outside in, joined by dots; indexes count from 0. Empty for the whole. */
  path: z.string().max(400),
  /** What is wrong and what is wanted. */
  sentence: z.string().max(400),
});
export type FieldError = z.infer<typeof fieldErrorSchema>;

type Issue = z.core.$ZodIssue;

/** The issues of a failed parse, in the order of the schema; at most `LIMITS.problemsListedMax`. */
export function fieldErrors(error: z.core.$ZodError): FieldError[] {
  return error.issues
    .flatMap((issue) => flattened(issue, []))
    .slice(0, LIMITS.problemsListedMax)
    .map(({ issue, path }) => ({
      path: path.map(String).join(".").slice(0, 400),
      sentence: sentenceOf(issue).slice(0, 400),
    }));
}

interface Placed {
  readonly issue: Issue;
  readonly path: readonly PropertyKey[];
}

/** A union says only that no branch fits, so it is replaced by the issues of the branch that was meant. */
function flattened(issue: Issue, above: readonly PropertyKey[]): readonly Placed[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ issue, path: [...path, key] }));
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [{ issue, path }];
  const [first = [], ...rest] = issue.errors;
  const meant = rest.reduce((best, branch) => (distance(branch) < distance(best) ? branch : best), first);
  return meant.flatMap((inner) => flattened(inner, path));
}

/** A branch whose literal names another kind was not meant. */
function distance(branch: readonly Issue[]): number {
  const isOther = branch.some(({ code, path }) => code === "invalid_value" && path.length <= 1);
  return (isOther ? 1_000 : 0) + branch.length;
}

function sentenceOf(issue: Issue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return "There is no such field here. Remove it, or check its spelling.";
    case "invalid_type":
      return issue.input === undefined && issue.message.endsWith("undefined")
        ? `Missing: ${article(issue.expected)} is wanted.`
        : `Must be ${article(issue.expected)}.`;
    case "invalid_value":
      return issue.values.length === 1
        ? `Must be ${shown(issue.values[0])}.`
        : `Must be one of ${issue.values.slice(0, 20).map(shown).join(", ")}.`;
    case "too_small":
      return issue.origin === "number" || issue.origin === "int"
        ? `Must be ${issue.inclusive === false ? "above" : "at least"} ${issue.minimum}.`
        : `Needs at least ${issue.minimum} ${unitOf(issue.origin, Number(issue.minimum))}.`;
    case "too_big":
      return issue.origin === "number" || issue.origin === "int"
        ? `Must be ${issue.inclusive === false ? "below" : "at most"} ${issue.maximum}.`
        : `May have at most ${issue.maximum} ${unitOf(issue.origin, Number(issue.maximum))}.`;
    case "invalid_union":
      // The library's own words are for programmers; ours name a reason.
      return "options" in issue &&
        Array.isArray(issue.options) &&
        issue.message.startsWith("Invalid discriminator")
        ? `Must be one of ${issue.options.map(shown).join(", ")}.`
        : asSentence(issue.message);
    default:
      return asSentence(issue.message);
  }
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
  tuple: "a list",
  null: "null",
};
const article = (expected: string): string => ARTICLES[expected] ?? expected;

function unitOf(origin: string, count: number): string {
  const one = origin === "string" ? "character" : "entry";
  if (count === 1) return one;
  return one === "entry" ? "entries" : `${one}s`;
}

const shown = (value: unknown): string => (typeof value === "string" ? `"${value}"` : String(value));

/** Messages of our own refinements are parts of sentences. */
function asSentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
