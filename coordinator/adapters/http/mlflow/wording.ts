/** What a schema refused, as it came. */
export interface RefusedInput {
  /** The body or the query as a whole. */
  readonly input: unknown;
  /** Names from the outside in, joined by dots; empty for the whole. */
  readonly path: string;
  /** What is wrong and what is wanted. */
  readonly sentence: string;
  /** The JSON text that the input was read from; null for a query. */
  readonly json: string | null;
}

const VALUE_LENGTH_MAX = 200;

/** Refusals that MLflow words as a whole, by ours. */
const WHOLE: Readonly<Record<string, (name: string, value: string) => string>> = {
  "Must be a relative path that does not climb.": () => "Invalid path",
  "The number of a version.": (name, value) =>
    `Parameter '${name}' must be an integer, got '${unquoted(value)}'.`,
  'Must be one of "None", "Staging", "Production", "Archived".': (_, value) =>
    `Invalid Model Version stage: ${unquoted(value)}. Value must be one of None, Staging, Production, Archived.`,
};
const TOO_LONG = /^May have at most (\d+) characters\.$/;

/**
 * The sentence of MLflow's own server for a field that does not fit: clients and their tests look for it. What is wrong
 * and what is wanted follows it. Source: MLflow's documentation of INVALID_PARAMETER_VALUE; rule L5.
 */
export function refusedFieldSentence({ input, path, sentence, json }: RefusedInput): string {
  const [name = "", ...inner] = path.split(".");
  if (name === "") return sentence;
  const value = fieldOf(input, name);
  if (value === undefined || value === null) return missingSentence(name);
  const shown = shownValue(value, name, json);
  const whole = WHOLE[sentence];
  if (whole !== undefined) return whole(name, shown);
  const place = inner.reduce(
    (before, part) => before + (/^\d+$/.test(part) ? `[${part}]` : `.${part}`),
    name,
  );
  const [, limit] = TOO_LONG.exec(sentence) ?? [];
  if (limit !== undefined) return `'${place}' exceeds the maximum length of ${limit} characters`;
  const reason = sentence.startsWith("Missing:")
    ? `Missing value for required parameter '${place}'.`
    : `${inner.length === 0 ? "" : `${place}: `}${sentence}`;
  return `Invalid value ${shown} for parameter '${name}' supplied: ${reason}`;
}

export function missingSentence(name: string): string {
  return `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`;
}

function fieldOf(input: unknown, name: string): unknown {
  const isHolder = typeof input === "object" && input !== null && Object.hasOwn(input, name);
  return isHolder ? (input as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** As JSON, a number with the digits that were sent, such as 9.0. */
function shownValue(value: unknown, name: string, json: string | null): string {
  const shown = (typeof value === "number" && json !== null && digitsOf(json, name)) || JSON.stringify(value);
  return shown.length > VALUE_LENGTH_MAX ? `${shown.slice(0, VALUE_LENGTH_MAX)}…` : shown;
}

/** The text of the last number under this name; null if there is none. */
function digitsOf(json: string, name: string): string | null {
  let digits: string | null = null;
  JSON.parse(json, (key: string, value: unknown, context?: { readonly source?: string }) => {
    if (key === name && typeof value === "number") digits = context?.source ?? null;
    return value;
  });
  return digits;
}

function unquoted(shown: string): string {
  return shown.replace(/^"|"$/g, "");
}
