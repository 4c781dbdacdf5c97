import { err, ok, type Result } from "#shared/kernel/result.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

export interface JsonBounds {
  /** Values of any kind: a container, each key and each value in it count one. */
  readonly entryCountMax: number;
}

/**
 * JSON as RFC 8259 has it, without what two readers would read differently: a key that comes twice, keys that reach a
 * prototype, control characters, text that has no UTF-8, nesting beyond `LIMITS.nestingDepthMax`, more values than the
 * bounds allow (W4).
 *
 * @param bytes  UTF-8, without a byte order mark; the caller has bounded the length.
 * Errors: `bad-json` with a sentence for the sender.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  { entryCountMax }: JsonBounds,
): Result<unknown, StrictJsonError> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bad("The body is not UTF-8.");
  }
  // Before the parser: it would build what is nested first.
  const problem = findProblem(text, entryCountMax);
  if (problem !== null) return bad(problem);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad("The body is not JSON.");
  }
  return isCleanText(value)
    ? ok(value)
    : bad("Text in the body holds a control character or half a character.");
}
export interface StrictJsonError {
  readonly type: "bad-json";
  readonly sentence: string;
}

function bad(sentence: string): Result<never, StrictJsonError> {
  return err({ type: "bad-json", sentence });
}

const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/**
 * One walk over the text: depth, values and keys. Where the text is no JSON this may miss things; the parser refuses it
 * then.
 */
function findProblem(text: string, entryCountMax: number): string | null {
  // One entry an open bracket: the keys of an object so far, null for an array.
  const open: (Set<string> | null)[] = [];
  let position = 0;
  // Each bracket that opens, each comma and each colon stands before one value more.
  let entryCount = 1;
  while (position < text.length) {
    const character = text[position];
    if (character === '"') {
      const end = endOfString(text, position);
      const keys = open.at(-1);
      if (keys && isFollowedByColon(text, end)) {
        const key = decodeKey(text.slice(position, end));
        if (FORBIDDEN_KEYS.has(key)) return `The key "${key}" is not taken.`;
        if (keys.has(key)) return "A key comes twice in one object.";
        keys.add(key);
      }
      position = end;
      continue;
    }
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(null);
    else if (character === "}" || character === "]") open.pop();
    if ("{[,:".includes(character as string)) entryCount += 1;
    if (entryCount > entryCountMax) return `The body holds more than ${entryCountMax} values.`;
    if (open.length > LIMITS.nestingDepthMax)
      return `The body is nested deeper than ${LIMITS.nestingDepthMax}.`;
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

/** The key with its escapes undone; as it stands where it is no JSON. */
function decodeKey(token: string): string {
  if (!token.includes("\\")) return token.slice(1, -1);
  try {
    return String(JSON.parse(token));
  } catch {
    return token;
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Names and sentences are one line: no C0 control, no DEL, no lone surrogate, in keys and values. */
function isCleanText(value: unknown): boolean {
  if (typeof value === "string") return isCleanString(value);
  if (Array.isArray(value)) return value.every(isCleanText);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).every(([key, inner]) => isCleanString(key) && isCleanText(inner));
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
