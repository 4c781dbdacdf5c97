import { gzipSync } from "node:zlib";
import { Encoder } from "@msgpack/msgpack";
import type { z } from "zod";
import type { SocketEndpoint } from "#coordinator/adapters/socket/endpoint.ts";
import { type Permission, permissionRefusal, THE_WHOLE } from "#coordinator/core/access/permissions.ts";
import { ANYONE } from "#coordinator/core/access/principal.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { cell, type Expectation, type Kind, type Row } from "./kinds.ts";
import { at, leavesOf, listsOf, objectsOf, type Path, replaced } from "./places.ts";
import { LONG_TEXT, LOW_ORDER_POINTS, TEXTS, WEAK_SIGNATURES } from "./spoils.ts";

/*
 * The thirty kinds of bad input for one kind of message on a socket, from what its namespace declares: event, dialect,
 * schema, permission. Pure, like the cases over HTTP.
 */

/** A packet of the socket.io protocol, or the bytes that it announces. */
export type Packet = string | Uint8Array;

export interface SocketCase {
  readonly about: string;
  /** @param id  Number of the acknowledgement. */
  packets(id: number): readonly Packet[];
  readonly expect: Expectation;
  /** A device has logged in; a stranger has not. */
  readonly as: "device" | "stranger";
  /** The connection may end without an answer. For a device that is news: it has gone. */
  readonly mayEnd?: boolean;
}

/** What the world around a message holds. */
export interface SocketWorld {
  readonly good: Readonly<Record<string, unknown>>;
  readonly ids: ReadonlySet<unknown>;
  /** Good messages that belong to another phase, attempt or session. */
  readonly elsewhere: readonly object[];
}

interface Subject extends SocketWorld {
  readonly endpoint: SocketEndpoint;
  readonly schema: z.ZodType;
  readonly as: SocketCase["as"];
  readonly permission: Permission;
}

const encoder = new Encoder({ useBigInt64: true, maxDepth: 100_000, ignoreUndefined: true });
const encode = (value: unknown): Uint8Array => Uint8Array.from(encoder.encode(value));

export function socketCases(endpoint: SocketEndpoint, kind: string, world: SocketWorld): Row<SocketCase> {
  const schema = endpoint.messages[kind];
  const permission = endpoint.permissions[kind];
  if (schema === undefined || permission === undefined) throw new Error(`no message ${kind}`);
  const isForAll = permissionRefusal(ANYONE, permission, THE_WHOLE, Date.now()) === null;
  const subject: Subject = { ...world, endpoint, schema, permission, as: isForAll ? "stranger" : "device" };
  return { ...shapeRow(subject), ...textRow(subject), ...whoRow(subject), ...protocolRow(subject) };
}

/** An event with this argument: bytes as an attachment, JSON as text. */
function event({ endpoint: { namespace, event: name } }: Subject, argument: Packet) {
  return (id: number): readonly Packet[] =>
    typeof argument === "string"
      ? [`2${namespace},${id}["${name}",${argument}]`]
      : [`51-${namespace},${id}["${name}",{"_placeholder":true,"num":0}]`, argument];
}

const isFramed = ({ endpoint }: Subject) => endpoint.dialect.name === "frame";

function written(subject: Subject, message: unknown): Packet {
  return isFramed(subject) ? encode(message) : JSON.stringify(message);
}

function of(subject: Subject, about: string, argument: Packet, more: Partial<SocketCase> = {}): SocketCase {
  return { about, packets: event(subject, argument), expect: "refused", as: subject.as, ...more };
}

/** One that the schema accepts is taken as data. */
function judged(subject: Subject, about: string, message: unknown): SocketCase {
  const isData = subject.schema.safeParse(message).success;
  return of(subject, about, written(subject, message), { expect: isData ? "harmless" : "refused" });
}

function shapeRow(subject: Subject): Pick<Row<SocketCase>, 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8> {
  const { good, schema } = subject;
  const whole = written(subject, good);
  const bytes = typeof whole === "string" ? new TextEncoder().encode(whole) : whole;
  const padded = { ...good, pad: isFramed(subject) ? new Uint8Array(20_000) : "x".repeat(2_000) };
  const deep = isFramed(subject) ? new Uint8Array(20_000).fill(0x91) : `${"[".repeat(400)}${"]".repeat(400)}`;
  const isEmptyFine = schema.safeParse({}).success;
  return {
    1: {
      cases: [
        of(subject, "no bytes", isFramed(subject) ? new Uint8Array(0) : '""'),
        of(subject, "null", "null"),
        of(subject, "{}", written(subject, {}), { expect: isEmptyFine ? "harmless" : "refused" }),
        ...[[], 1, "x", true, null].map((value) =>
          of(subject, JSON.stringify(value), written(subject, value)),
        ),
      ],
    },
    2: {
      cases: isFramed(subject)
        ? [of(subject, "JSON", JSON.stringify({ type: good["type"] })), of(subject, "text", '"frame"')]
        : [of(subject, "bytes", bytes)],
    },
    3: { cases: [of(subject, "padded", written(subject, padded), { mayEnd: true })] },
    4: {
      cases: isFramed(subject)
        ? [
            of(subject, "half", bytes.slice(0, bytes.length >> 1)),
            of(subject, "a byte more", Uint8Array.of(...bytes, 0xc0)),
            of(subject, "a list of 2^32 - 1", Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)),
            of(subject, "text of 2^32 - 1 bytes", Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)),
          ]
        : [of(subject, "half", whole.slice(0, whole.length >> 1) as string, { mayEnd: true })],
    },
    5: { cases: [of(subject, "gzip", new Uint8Array(gzipSync(bytes)))] },
    6: {
      cases: [
        of(subject, "nothing but depth", deep),
        ...leavesOf(good).map(({ path }) =>
          of(
            subject,
            path.join("."),
            written(
              subject,
              replaced(good, path, () => nested(100)),
            ),
            { mayEnd: true },
          ),
        ),
      ],
    },
    7: { cases: twice(subject) },
    8: {
      cases: [...objectsOf(good).flatMap((path) => strangeKeys(subject, path)), ...textCases(subject, 8)],
    },
  };
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

/** A map by hand, whose keys need not differ. */
function mapOf(entries: readonly (readonly [string, unknown])[]): Uint8Array {
  const parts = entries.flatMap(([key, value]) => [encode(key), encode(value)]);
  return Uint8Array.from(Buffer.concat([Uint8Array.of(0x80 | entries.length), ...parts]));
}

function twice(subject: Subject): SocketCase[] {
  const entries = Object.entries(subject.good);
  if (!isFramed(subject)) {
    // Of JSON on a socket the last is read; it has one field.
    const json = JSON.stringify(subject.good);
    return [of(subject, "its field twice", `${json.slice(0, -1)},${json.slice(1)}`, HARMLESS)];
  }
  return entries.map(([key, value]) => of(subject, `${key} twice`, mapOf([...entries, [key, value]])));
}

const STRANGE_KEYS = ["__proto__", "constructor", "prototype", "nobody", "toString"];

function strangeKeys(subject: Subject, path: Path): SocketCase[] {
  const { good } = subject;
  return STRANGE_KEYS.map((key) => {
    const about = `${key} in ${path.join(".")}`;
    const entries = Object.entries(at(good, path) as object) as [string, unknown][];
    if (isFramed(subject) && path.length === 0) return of(subject, about, mapOf([...entries, [key, 1]]));
    const strange = Object.fromEntries([...entries, [key, 1]]);
    return of(
      subject,
      about,
      written(
        subject,
        replaced(good, path, () => strange),
      ),
    );
  });
}

function textCases(subject: Subject, kind: Kind): SocketCase[] {
  const { texts = [], expect } = TEXTS[kind] ?? {};
  return leavesOf(subject.good)
    .filter(({ value }) => typeof value === "string")
    .flatMap(({ path }) =>
      texts.map((text) => {
        const message = replaced(subject.good, path, () => text);
        const about = `${path.join(".")} = ${JSON.stringify(text.slice(0, 24))}`;
        return expect === "refused"
          ? of(subject, about, written(subject, message))
          : judged(subject, about, message);
      }),
    );
}

/** Numbers that are none, are no integers, or lie outside their field. */
const NUMBERS: Readonly<Partial<Record<Kind, readonly unknown[]>>> = {
  9: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  10: [2n ** 53n + 1n, 2n ** 64n - 1n, -1, 1.5, "1"],
  27: [-1, 0, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, 1e308],
};

function numberCases(subject: Subject, kind: Kind): SocketCase[] {
  // JSON has no such numbers; a frame has them all.
  if (!isFramed(subject)) return [];
  return leavesOf(subject.good)
    .filter(({ value }) => typeof value === "number")
    .flatMap(({ path }) =>
      (NUMBERS[kind] ?? []).map((number) =>
        judged(
          subject,
          `${path.join(".")} = ${String(number)}`,
          replaced(subject.good, path, () => number),
        ),
      ),
    );
}

function textRow(subject: Subject): Pick<Row<SocketCase>, 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 27> {
  const numbers = (kind: Kind) => cell(numberCases(subject, kind), "it holds no number");
  const texts = (kind: Kind) => cell(textCases(subject, kind), "it holds no text");
  const leaf = leavesOf(subject.good).find(({ value }) => typeof value === "string");
  const long =
    leaf === undefined
      ? []
      : [
          written(
            subject,
            replaced(subject.good, leaf.path, () => LONG_TEXT),
          ),
        ];
  return {
    9: numbers(9),
    10: numbers(10),
    27: numbers(27),
    11: cell(
      [...textCases(subject, 11), ...long.map((text) => of(subject, "1 MB", text, { mayEnd: true }))],
      "it holds no text",
    ),
    12: texts(12),
    13: texts(13),
    14: texts(14),
    15: texts(15),
    16: texts(16),
  };
}

function whoRow(subject: Subject): Pick<Row<SocketCase>, 17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25> {
  const { good, ids, elsewhere, permission } = subject;
  const bytes = bytesOf(subject);
  const isForAll = subject.as === "stranger";
  const unknown = leavesOf(good)
    .filter(({ value }) => ids.has(value))
    .map(({ path, value }) =>
      replaced(good, path, () => (String(value).length >= 32 ? "9".repeat(String(value).length) : "unknown")),
    );
  const again = (message: object, about: string) => of(subject, about, written(subject, message));
  const signatures = bytes.filter(({ path }) => path.at(-1) === "signature");
  const contributes = !isForAll && signatures.length > 0;
  const isAnswer = good["type"] === "authenticate";
  return {
    17: cell(
      // Before the login nothing is looked up, so every task has a challenge.
      unknown.map((message) => ({
        ...again(message as object, "an unknown id"),
        ...(isForAll ? HARMLESS : {}),
      })),
      "it names nothing by an id",
    ),
    18: cell(
      isForAll ? [] : [of(subject, "before the login", written(subject, good), { as: "stranger" })],
      `everyone holds ${permission}`,
    ),
    19: cell(
      isAnswer ? [again({ ...good, joinToken: "a".repeat(64) }, "a made-up token")] : [],
      "it takes no token",
    ),
    20: cell(isAnswer ? [again(good, "no challenge is open")] : [], "it answers no challenge"),
    21: cell(contributes ? [again(good, "once more")] : [], "it contributes nothing"),
    22: cell(contributes ? [again(good, "another than the first")] : [], "it contributes nothing"),
    23: cell(
      elsewhere.map((message) => again(message, "another phase")),
      "it is heard in every phase",
    ),
    24: cell(
      signatures.map(({ path, value }) =>
        again(replaced(good, path, () => flipped(value)) as object, "a signature that is another's"),
      ),
      "it has no signature",
    ),
    25: cell(weakKeys(subject), "it has neither a key nor a signature"),
  };
}

const HARMLESS = { expect: "harmless" } as const;

function bytesOf({ good }: Subject) {
  return leavesOf(good).flatMap(({ path, value }) => (value instanceof Uint8Array ? [{ path, value }] : []));
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
}

function weakKeys(subject: Subject): SocketCase[] {
  return bytesOf(subject).flatMap(({ path, value }) => {
    const weak = value.length === 32 ? LOW_ORDER_POINTS : value.length === 64 ? WEAK_SIGNATURES : [];
    return weak.map((hex) => {
      const message = replaced(subject.good, path, () => Uint8Array.from(Buffer.from(hex, "hex")));
      const isHello = subject.good["type"] === "hello";
      return of(subject, `${path.join(".")} = ${hex.slice(0, 8)}`, written(subject, message), {
        // Its signature is what a hello's key is judged by.
        expect: isHello ? "harmless" : "refused",
      });
    });
  });
}

function protocolRow(subject: Subject): Pick<Row<SocketCase>, 26 | 28 | 29 | 30> {
  const { good, endpoint } = subject;
  const { namespace, event: name } = endpoint;
  const lengths = bytesOf(subject).flatMap(({ path, value }) =>
    [0, value.length - 1, value.length + 1, 600].map((length) =>
      judged(
        subject,
        `${path.join(".")} of ${length}`,
        replaced(good, path, () => new Uint8Array(Math.max(0, length))),
      ),
    ),
  );
  const lists = listsOf(good).flatMap((path) => {
    const [item] = at(good, path) as readonly unknown[];
    return [0, 1, LIMITS.rosterSizeMax + 1].map((count) =>
      of(
        subject,
        `${path.join(".")} of ${count}`,
        written(
          subject,
          replaced(good, path, () => Array(count).fill(item)),
        ),
      ),
    );
  });
  const raw = (about: string, packets: (id: number) => readonly Packet[], mayEnd = false): SocketCase => ({
    about,
    packets,
    expect: "refused",
    as: subject.as,
    mayEnd,
  });
  return {
    26: cell(lengths, "it holds no bytes"),
    28: cell(lists, "it holds no list"),
    29: {
      cases: [
        raw("no argument", (id) => [`2${namespace},${id}["${name}"]`]),
        raw("two arguments", (id) => [`2${namespace},${id}["${name}",1,1]`]),
        raw("an unknown event", (id) => [`2${namespace},${id}["${name}s",1]`]),
        raw("no name", (id) => [`2${namespace},${id}[null]`]),
        raw("eleven attachments", (id) => [`511-${namespace},${id}["${name}",1]`], true),
        raw("garbage", () => ["garbage"], true),
        raw("an attachment that was not announced", () => [Uint8Array.of(0xc1)], true),
      ],
    },
    30: { reason: "headers come with the handshake, which is judged before any message" },
  };
}
