import { err, ok, type Result } from "../kernel/result.ts";
import type { Comparator, Condition, Entity, Ordering } from "./condition.ts";
import { unixMsOf } from "./dates.ts";

/*
 * MLflow's language of searches: conditions joined by AND, and lists of what to order by.
 *
 * | part       | is                                                                                     |
 * | ---------- | -------------------------------------------------------------------------------------- |
 * | condition  | name comparator value                                                                  |
 * | name       | key, or entity.key with entity attributes, metrics, params, tags or datasets; also in the singular |
 * | key        | letters, digits and _ . - / or anything in back quotes or double quotes                |
 * | comparator | = != > >= < <= LIKE ILIKE IN NOT IN IS NULL IS NOT NULL                                |
 * | value      | a number, text in single or double quotes, or a list of texts in parentheses           |
 * | date       | of a time of Chorus's own runs: '2026-06-14' or '2026-06-14T10:30', in UTC             |
 *
 * Source: MLflow's documentation, "Search Runs". Rule L3.
 */

/** What can be searched, and what it has. */
export interface Subject {
  /** At the beginning of a sentence. */
  readonly name: string;
  /** Texts and numbers that a thing of this kind has, by their name; others can be written for some. */
  readonly texts: readonly string[];
  readonly numbers: readonly string[];
  /** Unix milliseconds, which a filter may also name as a date in quotes. */
  readonly times?: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  /** Besides attributes. */
  readonly entities: readonly Exclude<Entity, "attribute">[];
}

export const RUNS: Subject = {
  name: "A run",
  texts: ["run_id", "run_name", "status", "user_id", "artifact_uri"],
  numbers: ["start_time", "end_time"],
  aliases: {
    "run name": "run_name",
    "Run name": "run_name",
    "Run Name": "run_name",
    created: "start_time",
    Created: "start_time",
    id: "run_id",
  },
  entities: ["metric", "param", "tag", "dataset"],
};
export const EXPERIMENTS: Subject = {
  name: "An experiment",
  texts: ["experiment_id", "name"],
  numbers: ["creation_time", "last_update_time"],
  aliases: {},
  entities: ["tag"],
};
export const REGISTERED_MODELS: Subject = {
  name: "A registered model",
  texts: ["name"],
  numbers: ["creation_timestamp", "last_updated_timestamp"],
  aliases: { timestamp: "last_updated_timestamp" },
  entities: ["tag"],
};
export const MODEL_VERSIONS: Subject = {
  name: "A model version",
  texts: ["name", "run_id", "source_path"],
  numbers: ["version_number", "creation_timestamp", "last_updated_timestamp"],
  aliases: { version: "version_number", source: "source_path" },
  entities: ["tag"],
};
export const LOGGED_MODELS: Subject = {
  name: "A logged model",
  texts: ["name", "model_id", "model_type", "status", "source_run_id", "experiment_id"],
  numbers: ["creation_timestamp", "last_updated_timestamp"],
  aliases: { creation_time: "creation_timestamp", last_updated_time: "last_updated_timestamp" },
  entities: ["metric", "param", "tag"],
};

const ENTITIES: Readonly<Record<string, Entity>> = {
  attribute: "attribute",
  attributes: "attribute",
  attr: "attribute",
  run: "attribute",
  metric: "metric",
  metrics: "metric",
  param: "param",
  params: "param",
  parameter: "param",
  parameters: "param",
  tag: "tag",
  tags: "tag",
  dataset: "dataset",
  datasets: "dataset",
};

const DATASET_KEYS = ["name", "digest", "context"];
const CONDITIONS_MAX = 100;
/** Characters of all patterns of a filter together: comparing one takes up to its length times that of the text. */
const PATTERNS_MAX = 250;

export interface SearchError {
  readonly type: "bad-search";
  /** Index of the first character that does not fit. */
  readonly position: number;
  readonly sentence: string;
}

interface Token {
  readonly kind: "word" | "quoted" | "number" | "sign";
  readonly text: string;
  /** Of a quoted token. */
  readonly quote: string;
  readonly position: number;
}

/** Rolls back to the caller, which returns it. */
class Misfit extends Error {
  readonly position: number;

  constructor(position: number, sentence: string) {
    super(sentence);
    this.position = position;
  }
}

/** The conditions that a filter asks for; none for an empty one. Errors: `bad-search` with the place. */
export function parseFilter(text: string, subject: Subject): Result<readonly Condition[], SearchError> {
  return caught(() => {
    const reader = new Reader(text);
    const conditions: Condition[] = [];
    if (reader.isAtEnd()) return conditions;
    for (;;) {
      const { position } = reader;
      conditions.push(condition(reader, subject));
      if (patternCharacters(conditions) > PATTERNS_MAX)
        throw new Misfit(
          position,
          `The patterns of LIKE and ILIKE have at most ${PATTERNS_MAX} characters together. Use shorter ones, or =.`,
        );
      if (conditions.length > CONDITIONS_MAX)
        throw new Misfit(reader.position, `A filter has at most ${CONDITIONS_MAX} conditions.`);
      if (reader.isAtEnd()) return conditions;
      if (!reader.takeWord("AND"))
        throw new Misfit(reader.position, `Expected AND or the end. Conditions are joined by AND alone.`);
    }
  });
}

function patternCharacters(conditions: readonly Condition[]): number {
  const patterns = conditions.filter(({ comparator }) => comparator === "LIKE" || comparator === "ILIKE");
  return patterns.reduce((sum, { value }) => sum + String(value).length, 0);
}

/** What one entry of `order_by` says. Errors: `bad-search` with the place. */
export function parseOrdering(text: string, subject: Subject): Result<Ordering, SearchError> {
  return caught(() => {
    const reader = new Reader(text);
    const { entity, key, position } = named(reader, subject);
    if (entity === "dataset") throw new Misfit(position, "Nothing can be ordered by its data sets.");
    const isAscending = !reader.takeWord("DESC");
    if (isAscending) reader.takeWord("ASC");
    if (!reader.isAtEnd()) throw new Misfit(reader.position, "Expected ASC, DESC or the end.");
    return { entity, key, isAscending };
  });
}

function caught<Value>(read: () => Value): Result<Value, SearchError> {
  try {
    return ok(read());
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return err({ type: "bad-search", position: error.position, sentence: error.message });
  }
}

interface Named {
  readonly entity: Entity;
  readonly key: string;
  readonly position: number;
  /** Whether its values are numbers. */
  readonly isNumber: boolean;
  /** Whether these are times. */
  readonly isTime: boolean;
}

function named(reader: Reader, subject: Subject): Named {
  const { position } = reader;
  const first = reader.take("word") ?? reader.takeQuoted();
  if (first === null) throw new Misfit(position, "Expected a name such as metrics.accuracy.");
  const dot = first.kind === "word" ? first.text.indexOf(".") : -1;
  const word = dot === -1 ? "attribute" : first.text.slice(0, dot);
  const entity = Object.hasOwn(ENTITIES, word) ? ENTITIES[word] : undefined;
  if (entity === undefined || (entity !== "attribute" && !subject.entities.includes(entity)))
    throw new Misfit(position, `${subject.name} has no "${word}". Use ${entityWords(subject)}.`);
  const written = dot === -1 ? first.text : keyAfter(reader, first.text.slice(dot + 1), position);
  if (entity === "dataset" && !DATASET_KEYS.includes(written))
    throw new Misfit(position, `A data set has ${DATASET_KEYS.join(", ")}.`);
  if (entity !== "attribute")
    return { entity, key: written, position, isNumber: entity === "metric", isTime: false };
  const { texts, numbers, times = [], aliases } = subject;
  const key = Object.hasOwn(aliases, written) ? (aliases[written] ?? written) : written;
  const known = [...texts, ...numbers, ...times];
  if (!known.includes(key))
    throw new Misfit(position, `${subject.name} has no attribute "${written}".${hint(written, known)}`);
  const isTime = times.includes(key);
  return { entity, key, position, isNumber: isTime || numbers.includes(key), isTime };
}

/** After "metrics." stands the rest of the word, or the key in quotes. */
function keyAfter(reader: Reader, rest: string, position: number): string {
  const quoted = rest === "" ? reader.takeQuoted() : null;
  const key = quoted?.text ?? rest;
  if (key === "") throw new Misfit(position, "Expected a key after the dot.");
  return key;
}

function entityWords({ entities }: Subject): string {
  return ["attributes", ...entities.map((entity) => `${entity}s`)].join(", ");
}

function condition(reader: Reader, subject: Subject): Condition {
  const name = named(reader, subject);
  const { entity, key } = name;
  const comparator = comparatorOf(reader, name);
  if (comparator === "IS NULL" || comparator === "IS NOT NULL")
    return { entity, key, comparator, value: null };
  if (comparator === "IN" || comparator === "NOT IN")
    return { entity, key, comparator, value: listOf(reader) };
  const { position } = reader;
  if (name.isTime && !reader.isNumber()) return { entity, key, comparator, value: dateOf(reader, key) };
  if (name.isNumber) {
    const number = reader.take("number");
    if (number === null) throw new Misfit(position, `"${key}" is compared with a number.`);
    return { entity, key, comparator, value: Number(number.text) };
  }
  const text = reader.takeQuoted();
  if (text === null || text.quote === "`")
    throw new Misfit(position, `"${key}" is compared with text in quotes, such as 'fedavg'.`);
  return { entity, key, comparator, value: text.text };
}

function dateOf(reader: Reader, key: string): number {
  const { position } = reader;
  const time = unixMsOf(reader.takeQuoted()?.text ?? "");
  if (time === null) throw new Misfit(position, `"${key}" is compared with a date such as '2026-06-14'.`);
  return time;
}

const FOR_NUMBERS: readonly Comparator[] = ["=", "!=", ">", ">=", "<", "<="];
const FOR_TEXTS: readonly Comparator[] = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"];

function comparatorOf(reader: Reader, { entity, key, isNumber }: Named): Comparator {
  const { position } = reader;
  const comparator = reader.takeComparator();
  const nulls: readonly Comparator[] =
    entity === "param" || entity === "tag" ? ["IS NULL", "IS NOT NULL"] : [];
  const allowed = [...(isNumber ? FOR_NUMBERS : FOR_TEXTS), ...nulls];
  if (comparator === null || !allowed.includes(comparator))
    throw new Misfit(position, `"${key}" takes ${allowed.join(", ")}.`);
  return comparator;
}

function listOf(reader: Reader): readonly string[] {
  const { position } = reader;
  const values: string[] = [];
  const bad = () => new Misfit(position, "Expected a list of texts such as ('a', 'b').");
  if (!reader.takeSign("(")) throw bad();
  for (;;) {
    const text = reader.takeQuoted();
    if (text === null || text.quote === "`") throw bad();
    values.push(text.text);
    if (reader.takeSign(")")) return values;
    if (!reader.takeSign(",")) throw bad();
  }
}

/** " Did you mean ...?" with the known name that differs in the fewest letters; empty if none is near. */
export function hint(asked: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: distanceBetween(asked.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 3)))
    .sort((left, right) => left.distance - right.distance)[0];
  return near === undefined ? "" : ` Did you mean ${near.name}?`;
}

/** Levenshtein's distance of the first 64 characters. */
function distanceBetween(one: string, other: string): number {
  const [left, right] = [one.slice(0, 64), other.slice(0, 64)];
  let above = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      const [up = 0, diagonal = 0, before = 0] = [above[column], above[column - 1], current[column - 1]];
      current.push(Math.min(up + 1, before + 1, diagonal + cost));
    }
    above = current;
  }
  return above[right.length] ?? 0;
}

const TOKENS =
  /\s*(?:(?<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w./-]))|(?<word>[\p{L}\p{N}_][\p{L}\p{N}_./-]*)|(?<sign>!=|>=|<=|[=<>(),])|(?<quoted>'[^']*'|"[^"]*"|`[^`]*`))/uy;

/** Takes one token after another. */
class Reader {
  readonly #text: string;
  #next: Token | null;
  #end = 0;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#scan();
  }

  /** Of the next token, or the text's length. */
  get position(): number {
    return this.#next?.position ?? this.#text.length;
  }

  isAtEnd(): boolean {
    return this.#next === null;
  }

  isNumber(): boolean {
    return this.#next?.kind === "number";
  }

  take(kind: Token["kind"]): Token | null {
    const token = this.#next;
    if (token?.kind !== kind) return null;
    this.#next = this.#scan();
    return token;
  }

  takeQuoted(): Token | null {
    return this.take("quoted");
  }

  takeWord(word: string): boolean {
    return this.#next?.text.toUpperCase() === word && this.take("word") !== null;
  }

  takeSign(sign: string): boolean {
    return this.#next?.text === sign && this.take("sign") !== null;
  }

  takeComparator(): Comparator | null {
    for (const sign of FOR_NUMBERS) if (this.takeSign(sign)) return sign;
    if (this.takeWord("NOT")) return this.takeWord("IN") ? "NOT IN" : null;
    if (this.takeWord("IS")) {
      const isNot = this.takeWord("NOT");
      if (!this.takeWord("NULL")) return null;
      return isNot ? "IS NOT NULL" : "IS NULL";
    }
    for (const word of ["LIKE", "ILIKE", "IN"] as const) if (this.takeWord(word)) return word;
    return null;
  }

  #scan(): Token | null {
    TOKENS.lastIndex = this.#end;
    const found = TOKENS.exec(this.#text);
    if (found?.groups === undefined) {
      const rest = this.#text.slice(this.#end);
      if (rest.trim() === "") return null;
      const position = this.#end + rest.length - rest.trimStart().length;
      throw new Misfit(
        position,
        `"${this.#text.slice(position, position + 20)}" is neither a name nor a value.`,
      );
    }
    const position = this.#end + found[0].length - found[0].trimStart().length;
    this.#end = TOKENS.lastIndex;
    const [kind, text] = Object.entries(found.groups).find(([, value]) => value !== undefined) ?? [
      "sign",
      "",
    ];
    if (kind !== "quoted") return { kind: kind as Token["kind"], text: text ?? "", quote: "", position };
    return { kind, text: (text ?? "").slice(1, -1), quote: (text ?? "").charAt(0), position };
  }
}
