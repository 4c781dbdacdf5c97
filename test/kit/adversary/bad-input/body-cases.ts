import { gzipSync } from "node:zlib";
import type { z } from "zod";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type Cell, cell, type Row } from "./kinds.ts";
import { objectsOf, type Path, replaced } from "./places.ts";
import { jsonWith, type RawRequest, requestOf, withHeader, write } from "./request.ts";
import { CONTENT_TYPES, FORMLESS, PROTOTYPE_KEYS } from "./spoils.ts";
import { type HttpCase, harmless, refused, type Subject, text, withBody } from "./subject.ts";
import { textCases } from "./text-cases.ts";

/* Kinds 1 to 8: bodies as a whole, and the keys in them. */

const NO_BODY = "it takes no body";
const NO_JSON = "it reads no JSON";

const hasBody = ({ good }: Subject) => good.json !== undefined || good.bytes !== null;

export function bodyRow(subject: Subject): Pick<Row<HttpCase>, 1 | 2 | 3 | 4 | 5 | 6> {
  const { endpoint, written, good, request } = subject;
  const body = written.body ?? new Uint8Array(0);
  const ifBody = (cases: () => readonly HttpCase[]): Cell<HttpCase> =>
    cell(hasBody(subject) ? cases() : [], NO_BODY);
  const isEmptyFine = endpoint.body?.safeParse({}).success === true;
  const padded = new Uint8Array(Buffer.concat([body, Buffer.alloc(LIMITS.trackingByteCountMax, 32)]));
  return {
    1: ifBody(() => {
      const empty = withBody(subject, new Uint8Array(0));
      return [
        isEmptyFine ? harmless("no bytes", empty) : refused("no bytes", empty),
        ...FORMLESS.map((json) => refused(json, withBody(subject, text(json)))),
      ];
    }),
    2: ifBody(() =>
      [...CONTENT_TYPES, null].map((type) =>
        refused(`content-type ${type}`, withHeader(request, "content-type", type)),
      ),
    ),
    3: {
      cases: [
        refused("a long address", { ...request, target: `${request.target}?x=${"x".repeat(40_000)}` }),
        ...(hasBody(subject) ? [refused("a padded body", withBody(subject, padded))] : []),
      ],
    },
    4: {
      cases: [
        refused("a length and chunks", {
          ...withHeader(request, "content-length", "2"),
          headers: [...withHeader(request, "content-length", "2").headers, ["transfer-encoding", "chunked"]],
        }),
        refused("a length that is none", withHeader(request, "content-length", "0x2")),
        ...(hasBody(subject) ? cutBodies(subject, body) : []),
      ],
    },
    5: ifBody(() => [
      refused("gzip of 50 MB", withHeader(withBody(subject, BOMB), "content-encoding", "gzip")),
    ]),
    6: cell(
      good.json === undefined
        ? []
        : ["[".repeat(100_000), `${'{"a":'.repeat(1_000)}1${"}".repeat(1_000)}`].map((json) =>
            refused(json.slice(0, 12), withBody(subject, text(json))),
          ),
      NO_JSON,
    ),
  };
}

const BOMB = new Uint8Array(gzipSync(Buffer.alloc(50_000_000, 32)));

function cutBodies(subject: Subject, body: Uint8Array): HttpCase[] {
  const cutAfter = Math.floor(body.length / 2);
  return [
    { ...refused("half of what was announced", subject.request), cutAfter, mayEnd: true },
    // The rest would be the next request.
    refused("more than was announced", withHeader(subject.request, "content-length", "1")),
  ];
}

export function keyRow(subject: Subject): Pick<Row<HttpCase>, 7 | 8> {
  const { good, written, endpoint, request } = subject;
  const [queryName] = Object.keys(endpoint.query?.shape ?? {});
  const again = (pair: string) => requestOf(endpoint, { ...written, query: pair });
  const queries =
    queryName === undefined ? [] : [refused("a query twice", again(`${queryName}=1&${queryName}=2`))];
  const headers = Object.keys(subject.headers).map((name) =>
    refused(`${name} twice`, { ...request, headers: [...request.headers, [name, "a"], [name, "b"]] }),
  );
  // A vector with an unread query is a good vector.
  const queryKeys = good.bytes === null ? ["__proto__=1", "constructor=1", "constructor[prototype]=1"] : [];
  const [key] = Object.keys((good.json ?? {}) as object);
  const keys =
    key === undefined ? [] : [key, `\\u${key.charCodeAt(0).toString(16).padStart(4, "0")}${key.slice(1)}`];
  return {
    7: cell(
      [
        ...keys.map((twice) => refused(`key ${twice} twice`, withKey(subject, [], twice))),
        ...queries,
        ...headers,
      ],
      "it has neither a body nor a query nor headers of its own",
    ),
    8: {
      cases: [
        ...objectsOf(good.json ?? null).flatMap((path) =>
          PROTOTYPE_KEYS.map((name) => refused(`${name} in ${path.join(".")}`, withKey(subject, path, name))),
        ),
        ...queryKeys.map((query) =>
          endpoint.query === undefined ? harmless(query, again(query)) : refused(query, again(query)),
        ),
        ...unaskedKeys(subject),
        ...textCases(subject, 8),
      ],
    },
  };
}

/** A name that is nobody's. A schema that lets it pass does so on purpose. */
function unaskedKeys(subject: Subject): HttpCase[] {
  const { good, endpoint } = subject;
  const isTaken = (schema: z.ZodType | undefined, value: unknown) =>
    schema?.safeParse({ ...(value as object), nobody: "1" }).success === true;
  const cases: HttpCase[] = [];
  if (endpoint.query !== undefined) {
    const request = requestOf(endpoint, write({ ...good, query: { ...good.query, nobody: "1" } }));
    cases.push((isTaken(endpoint.query, good.query) ? harmless : refused)("?nobody", request));
  }
  if (good.json !== undefined) {
    const request = withKey(subject, [], "nobody");
    cases.push((isTaken(endpoint.body, good.json) ? harmless : refused)("nobody", request));
  }
  return cases;
}

/** The body with one more key in the object at `path`, as it is written in JSON. */
function withKey(subject: Subject, path: Path, written: string): RawRequest {
  const add = (placeholder: string) =>
    replaced(subject.good.json, path, (inner) => ({ ...(inner as object), [placeholder]: 1 }));
  return withBody(subject, jsonWith(add, `"${written}"`));
}
