import { canonicalJson, type Json } from "../codec/canonical-json.ts";
import { parseStrictText } from "../codec/strict-json.ts";
import { assert } from "../kernel/assert.ts";
import { type Bytes, utf8, utf8ToText } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { LEAF_KINDS, type LeafFacts, type LeafKind } from "./leaf-kinds.ts";
import { LEAF_BYTE_COUNT_MAX } from "./tiles.ts";

/*
 * A leaf of the log is the canonical JSON (RFC 8785) of one object, so that equal facts have equal bytes:
 *
 * | field   | holds                                                                                  |
 * | ------- | -------------------------------------------------------------------------------------- |
 * | version | 1                                                                                      |
 * | kind    | a row of `LEAF_KINDS`                                                                  |
 * | at      | Unix milliseconds by the coordinator's clock; null in leaves from before they had one  |
 * | ...     | what the kind says                                                                     |
 */

export type LeafOf<Kind extends LeafKind> = {
  readonly kind: Kind;
  readonly at: number | null;
  readonly facts: LeafFacts<Kind>;
};
/** One leaf, told apart by its kind. */
export type Leaf = { [Kind in LeafKind]: LeafOf<Kind> }[LeafKind];

/**
 * The bytes of a leaf.
 *
 * @param body  What a row of the database keeps: `version` and the facts. Kinds of earlier programs are encoded too.
 * @throws AssertionFault if the leaf is longer than 65,535 bytes or `body` has a `kind` or `at` of its own.
 */
export function encodeLeaf(kind: string, at: number | null, body: Readonly<Record<string, Json>>): Bytes {
  assert(!("kind" in body) && !("at" in body), `a leaf ${kind} has a kind and a time of its own`);
  const bytes = utf8(canonicalJson(Object.assign({ kind, at }, body)));
  assert(bytes.length <= LEAF_BYTE_COUNT_MAX, `a leaf ${kind} of ${bytes.length} bytes`);
  return bytes;
}

/** Reads a leaf that anyone may have made. */
export function parseLeaf(bytes: Bytes): Result<Leaf, LeafError> {
  const written = parseWrittenLeaf(bytes);
  if (!written.ok) return written;
  const { kind, at, body } = written.value;
  if (!isLeafKind(kind)) return err({ type: "unknown-kind", kind });
  const { version, ...said } = body;
  if (version !== 1) return bad("The entry is of a later version of the log. Update this program.");
  const facts = LEAF_KINDS[kind].safeParse(said);
  if (!facts.success) return bad(`The entry does not say what one of kind ${kind} says.`);
  // The kind and the facts are of one row of the table.
  return ok({ kind, at, facts: facts.data } as Leaf);
}

export type LeafError =
  | { readonly type: "bad-leaf"; readonly sentence: string }
  /** Of a later program. Its bytes can be proved to be in the log all the same. */
  | { readonly type: "unknown-kind"; readonly kind: string };

export interface WrittenLeaf {
  readonly kind: string;
  readonly at: number | null;
  /** What the database keeps of it. */
  readonly body: Readonly<Record<string, Json>>;
}

/** The reverse of `encodeLeaf`, for leaves of any kind, also of later programs. */
export function parseWrittenLeaf(bytes: Bytes): Result<WrittenLeaf, BadLeaf> {
  if (bytes.length > LEAF_BYTE_COUNT_MAX) return bad("The entry is longer than a log's may be.");
  const text = utf8ToText(bytes);
  if (text === undefined) return bad("The entry is not UTF-8.");
  const parsed = parseStrictText(text, "The entry", { entryCountMax: LEAF_BYTE_COUNT_MAX });
  if (!parsed.ok) return bad(parsed.error.sentence);
  const value = parsed.value as Json;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return bad("The entry is no object.");
  if (!isCanonical(value, text)) return bad("The entry is not canonical JSON.");
  const { kind, at, ...body } = value as Readonly<Record<string, Json>>;
  if (at !== null && !(typeof at === "number" && Number.isSafeInteger(at) && at >= 0))
    return bad("The entry has no time.");
  if (typeof kind !== "string") return bad("The entry has no kind.");
  return ok({ kind, at, body });
}
type BadLeaf = Extract<LeafError, { readonly type: "bad-leaf" }>;

function bad(sentence: string): { readonly ok: false; readonly error: BadLeaf } {
  return err({ type: "bad-leaf", sentence });
}

function isLeafKind(kind: string): kind is LeafKind {
  return Object.hasOwn(LEAF_KINDS, kind);
}

/** Numbers such as 1e400 are none that canonical JSON can write. */
function isCanonical(value: Json, text: string): boolean {
  try {
    return canonicalJson(value) === text;
  } catch {
    return false;
  }
}

/** By which field a leaf of a kind is found; kinds without one are not looked for. */
const SUBJECTS: Readonly<Partial<Record<LeafKind, string>>> = {
  "round.opened": "roundId",
  "round.aborted": "roundId",
  "cohort.sealed": "sid",
  "inputs.sealed": "sid",
  "survivors.signed": "sid",
  "round.unmasked": "sid",
  "model.published": "modelHash",
  "model.void-stepped": "modelHash",
  "run.launched": "runId",
  "task.published": "configHash",
  "task.archived": "slug",
  "log.keyRotated": "origin",
  "shell.published": "app",
};

/** What a leaf is about, by which it is found; null if it is not looked for. */
export function leafSubject(kind: string, body: Readonly<Record<string, Json>>): string | null {
  if (!isLeafKind(kind)) return null;
  const field = SUBJECTS[kind];
  const subject = field === undefined ? undefined : body[field];
  return typeof subject === "string" ? subject : null;
}
