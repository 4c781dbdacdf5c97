import { z } from "zod";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { bodyRow, keyRow } from "./body-cases.ts";
import { principalCases, tokenCases, withAccount } from "./credentials.ts";
import { cell, type Row } from "./kinds.ts";
import { at, leavesOf, replaced } from "./places.ts";
import { type GoodRequest, type RawRequest, requestOf, withHeader, write } from "./request.ts";
import { PROXY_HEADERS, WEAK_SIGNATURES } from "./spoils.ts";
import { type HttpCase, type HttpWorld, harmless, refused, type Subject, withBody } from "./subject.ts";
import { textRow } from "./text-cases.ts";

/*
 * The thirty kinds of bad input for one HTTP endpoint, from its declaration alone: method, path, params, query, body,
 * headers, dialect, permission. Pure: what is sent, not the sending.
 */

const NO_SIGNATURE = "it takes no signature";

export function httpCases(endpoint: Endpoint, world: HttpWorld): Row<HttpCase> {
  const { good } = world;
  const written = write(good);
  const { headers } = endpoint.request;
  const subject: Subject = {
    endpoint,
    world,
    good,
    written,
    request: requestOf(endpoint, written),
    headers: headers instanceof z.ZodObject ? (headers.shape as Record<string, z.ZodType>) : {},
    takesBytes: good.bytes !== null,
  };
  return {
    ...bodyRow(subject),
    ...keyRow(subject),
    ...textRow(subject),
    ...identityRow(subject),
    ...protocolRow(subject),
  };
}

function identityRow(subject: Subject): Pick<Row<HttpCase>, 17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25> {
  const { endpoint, world, good, request } = subject;
  const signatures = Object.keys(subject.headers).filter((name) => /signature/.test(name));
  const of = (requests: readonly GoodRequest[], name: string) =>
    requests.map((other) => refused(name, requestOf(endpoint, write(other))));
  return {
    17: cell(
      [...unknownIds(subject), ...askedBy(subject, 17)],
      "it names nothing by an id, and everyone may ask it",
    ),
    18: cell(askedBy(subject, 18), `everyone holds ${endpoint.permission}`),
    19: {
      cases: [
        ...askedBy(subject, 19),
        ...tokenCases(endpoint, good.headers).map(({ name, headers, expect }) => ({
          about: name,
          // A slot's token is beside its sender's own.
          request: Object.entries(headers).reduce(
            (sent, [header, value]) => withHeader(sent, header, value),
            "chorus-slot" in headers ? request : withAccount(request, null),
          ),
          expect,
        })),
      ],
    },
    20: { reason: "it takes no nonce; a device's login does, on its socket" },
    21: {
      reason:
        endpoint.method === "put"
          ? "a repeated input gets the same receipt: among the good requests"
          : "it takes no contribution",
    },
    22: cell(of(world.conflicting, "a key that is taken"), "its sender chooses no key"),
    23: cell(of(world.closed, "over, closed or never begun"), "it answers in every phase"),
    24: cell(
      signatures.map((name) => {
        const signature = good.headers[name] ?? "";
        const other = (signature.startsWith("0") ? "1" : "0") + signature.slice(1);
        return refused(name, withHeader(request, name, other));
      }),
      NO_SIGNATURE,
    ),
    25: cell(
      signatures.flatMap((name) =>
        WEAK_SIGNATURES.map((signature) =>
          refused(signature.slice(0, 8), withHeader(request, name, signature)),
        ),
      ),
      NO_SIGNATURE,
    ),
  };
}

/** The good request, by everyone who must be refused. */
function askedBy({ endpoint, world, request }: Subject, kind: 17 | 18 | 19): HttpCase[] {
  return principalCases(endpoint, world.about, world.accounts)
    .filter((one) => one.kind === kind)
    .map(({ name, statuses }) => ({ ...refused(name, withAccount(request, name)), statuses }));
}

/** Each id that exists, in the address and in the body, replaced by one of the same form that does not. */
function unknownIds({ endpoint, good, world }: Subject): HttpCase[] {
  const unknown = (id: string) => (/^[0-9a-f]{32,}$/.test(id) ? "9".repeat(id.length) : "unknown");
  const inParams = Object.entries(good.params)
    .filter(([, value]) => world.ids.has(value))
    .map(([name, value]) => ({ ...good, params: { ...good.params, [name]: unknown(value) } }));
  const inBody = leavesOf(good.json ?? null)
    .filter(({ value }) => typeof value === "string" && world.ids.has(value))
    .map(({ path }) => ({
      ...good,
      json: replaced(good.json, path, () => unknown(at(good.json, path) as string)),
    }));
  return [...inParams, ...inBody].map((other) => refused("an unknown id", requestOf(endpoint, write(other))));
}

function protocolRow(subject: Subject): Pick<Row<HttpCase>, 26 | 28 | 29 | 30> {
  const { good, request, endpoint, written } = subject;
  const { bytes } = good;
  const lengths = bytes === null ? [] : [0, 1, bytes.length - 1, bytes.length - 4, bytes.length + 4];
  const ranges = ["bytes 1-2/3", "bytes 0-0/0", "bytes */*", "items 0-1/2", "bytes 2-1/4"];
  const foreign =
    endpoint.method === "get"
      ? []
      : [refused("a foreign page", withHeader(request, "origin", "https://evil.example"))];
  const spoofed = Object.entries(PROXY_HEADERS);
  const proxied = spoofed.reduce((sent, [name, value]) => withHeader(sent, name, value), request);
  const upgrade = (target: string): RawRequest => ({
    ...request,
    target,
    headers: [
      ["host", "localhost"],
      ["connection", "Upgrade"],
      ["upgrade", "websocket"],
      ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
      ["sec-websocket-version", "13"],
    ],
    body: null,
  });
  return {
    26: cell(
      [
        ...lengths.map((length) => refused(`${length} bytes`, withBody(subject, new Uint8Array(length)))),
        ...(bytes === null ? [] : ranges).map((range) =>
          refused(range, withHeader(request, "content-range", range)),
        ),
      ],
      "it takes no vector",
    ),
    28: { reason: "it takes no shares; devices deal them on their socket" },
    29: { reason: "it is no socket event" },
    30: {
      cases: [
        refused("an absolute address", { ...request, target: `http://evil.example${request.target}` }),
        refused("an absolute address with an upgrade", upgrade(`http://127.0.0.1:1${request.target}`)),
        ...(isOperation(endpoint)
          ? []
          : [refused("another host", withHeader(request, "host", "evil.example"))]),
        refused("two hosts", { ...request, headers: [...request.headers, ["host", "evil.example"]] }),
        ...foreign,
        // With the foreign page a write stays a write that is refused.
        endpoint.method === "get"
          ? { ...harmless("what a proxy sets", proxied), hidden: "evil.example" }
          : refused("what a proxy sets", withHeader(proxied, "origin", "https://evil.example")),
        ...(written.body === null ? [] : [refused("a null origin", withHeader(request, "origin", "null"))]),
      ],
    },
  };
}

/** Operators' probes come by address, so the host is not judged. */
function isOperation({ path }: Endpoint): boolean {
  return !path.startsWith("/api/");
}
