import { err, ok, type Result } from "../kernel/result.ts";
import { LIMITS } from "../protocol/limits.ts";

export interface JsonBounds {
  /** Values of any kind: each container, each key and each value counts as one. */
  readonly entryCountMax: number;
  /** Whether texts may have tabs and ends of lines; keys may not. */
  readonly mayHaveLines?: boolean;
}

/**
 * Parses JSON as in RFC 8259, and refuses what two readers might read differently: duplicate keys, keys that
 * reach a prototype, control characters, text that is not valid Unicode, nesting deeper than
 * `LIMITS.nestingDepthMax`, and more values than the
 * bounds allow (W4).
 *
 * By hand, because JSON.parse keeps the last of two equal keys and builds any depth before a schema sees it. It still makes
 * the value; only the check before it is ours.
 *
 * @param text  Without a byte order mark. The caller has bounded the length.
 * @param what  What the text is, as the beginning of a sentence: "The body".
 * Errors: `bad-json` with a sentence for the sender.
 */
export function parseStrictText(
  text: string,
  what: string,
  { entryCountMax, mayHaveLines = false }: JsonBounds,
): Result<unknown, StrictJsonError> {
  const bad = (sentence: string) => err({ type: "bad-json", sentence } as const);
  // Runs before the parser, which would build deeply nested values first.
  const problem = findProblem(text, what, entryCountMax);
  if (problem !== null) return bad(problem);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad(`${what} is not JSON.`);
  }
  return isCleanText(value, mayHaveLines)
    ? ok(value)
    : bad(
        `Text in ${what.charAt(0).toLowerCase()}${what.slice(1)} contains a control character or a lone surrogate.`,
      );
}
export interface StrictJsonError {
  readonly type: "bad-json";
  readonly sentence: string;
}

const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Checks depth, number of values and keys in one pass. It may miss problems in malformed JSON, which the
 * parser then refuses.
 */
function findProblem(text: string, what: string, entryCountMax: number): string | null {
  // One entry per open bracket: the keys of an object so far, or null for an array.
  const open: (Set<string> | null)[] = [];
  let position = 0;
  // Each opening bracket, comma and colon precedes one more value.
  let entryCount = 1;
  while (position < text.length) {
    const character = text[position];
    if (character === '"') {
      const end = endOfString(text, position);
      const keys = open.at(-1);
      if (keys && isFollowedByColon(text, end)) {
        const key = decodeKey(text.slice(position, end));
        if (FORBIDDEN_KEYS.has(key)) return `The key "${key}" is not allowed.`;
        if (keys.has(key)) return "A key appears twice in one object.";
        keys.add(key);
      }
      position = end;
      continue;
    }
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(null);
    else if (character === "}" || character === "]") open.pop();
    if ("{[,:".includes(character as string)) entryCount += 1;
    if (entryCount > entryCountMax) return `${what} holds more than ${entryCountMax} values.`;
    if (open.length > LIMITS.nestingDepthMax)
      return `${what} is nested deeper than ${LIMITS.nestingDepthMax}.`;
    position += 1;
  }
  return null;
}

/** Index after the closing quote, or the text's end. */
function endOfString(text: string, start: number): number {
  let position = start + 1;
  while (position < text.length && text[position] !== '"') position += text[position] === "\\" ? 2 : 1;
  return position + 1;
}

function isFollowedByColon(text: string, end: number): boolean {
  let position = end;
  while (position < text.length && " \t\r\n".includes(text[position] as string)) position += 1;
  return text[position] === ":";
}

/** The key without its escapes, or the token itself if it is malformed. */
function decodeKey(token: string): string {
  if (!token.includes("\\")) return token.slice(1, -1);
  try {
    return String(JSON.parse(token));
  } catch {
    return token;
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Names and sentences are single lines: keys and values may hold no C0 control, no DEL and no lone surrogate.
 */
function isCleanText(value: unknown, mayHaveLines: boolean): boolean {
  if (typeof value === "string")
    return isCleanString(mayHaveLines ? value.replaceAll(/[\t\r\n]/g, " ") : value);
  if (Array.isArray(value)) return value.every((inner) => isCleanText(inner, mayHaveLines));
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).every(
      ([key, inner]) => isCleanString(key) && isCleanText(inner, mayHaveLines),
    );
  }
  return true;
}

function isCleanString(text: string): boolean {
  if (LONE_SURROGATE.test(text)) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}
