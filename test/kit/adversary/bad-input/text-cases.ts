import type { z } from "zod";
import { cell, type Kind, type Row } from "./kinds.ts";
import { leavesOf, replaced } from "./places.ts";
import { encodeText, jsonWith, type RawRequest, requestOf, withHeader, write } from "./request.ts";
import { LONG_TEXT, NUMBER_TEXTS, NUMBER_TOKENS, PLANTED_COOKIE, TEXTS } from "./spoils.ts";
import { type HttpCase, refused, type Subject, text, withBody } from "./subject.ts";

/* Kinds 9 to 16 and 27: text and numbers, wherever an endpoint takes them. */

const NO_TEXT = "it takes no text";
const NO_NUMBER = "it takes no number";

/** Everything that takes text or numbers: parts of the address, the query, headers and leaves of the body. */
function placesOf({ endpoint, good, written, headers }: Subject): Place[] {
  const inParams = Object.entries(endpoint.params?.shape ?? {}).map(
    ([name, schema]): Place => ({
      name: `{${name}}`,
      schema: schema as z.ZodType,
      put: (value) =>
        requestOf(endpoint, { ...written, params: { ...written.params, [name]: encodeText(value) } }),
    }),
  );
  const inQuery = Object.entries(endpoint.query?.shape ?? {}).map(
    ([name, schema]): Place => ({
      name: `?${name}`,
      schema: schema as z.ZodType,
      put: (value) => requestOf(endpoint, { ...written, query: `${encodeText(name)}=${encodeText(value)}` }),
    }),
  );
  const inHeaders = Object.entries(headers).map(
    ([name, schema]): Place => ({
      name,
      isHeader: true,
      schema,
      put: (value) => withHeader(requestOf(endpoint, write(good)), name, value),
    }),
  );
  return [...inParams, ...inQuery, ...inHeaders];
}

interface Place {
  readonly name: string;
  readonly isHeader?: boolean;
  readonly schema: z.ZodType;
  put(value: string): RawRequest;
}

const isNumber = ({ schema }: Place) =>
  ["1", "0"].some((digit) => schema.safeParse(digit).success) && !schema.safeParse("x").success;

/** A text of this kind in the place of each text. One that the place's schema accepts is data. */
export function textCases(subject: Subject, kind: Kind): HttpCase[] {
  const { texts, expect } = TEXTS[kind] ?? { texts: [], expect: "refused" };
  // What programs log may have several lines.
  const mayBeData = expect === "harmless" || (kind === 14 && subject.endpoint.dialect.name === "mlflow");
  const outside = placesOf(subject).flatMap((place) =>
    // CR LF in a header is the end of that header, by whoever wrote it.
    texts
      .filter((value) => !(place.isHeader && value.includes("\r\n")))
      .map((value): HttpCase => {
        const isData = mayBeData && place.schema.safeParse(value).success;
        return {
          about: `${place.name} = ${about(value)}`,
          request: place.put(value),
          expect: isData ? "harmless" : "refused",
        };
      }),
  );
  const inside = leavesOf(subject.good.json ?? null)
    .filter(({ value }) => typeof value === "string")
    .flatMap(({ path }) =>
      texts.map((value): HttpCase => {
        const json = replaced(subject.good.json, path, () => value);
        const isData = mayBeData && subject.endpoint.body?.safeParse(json).success === true;
        return {
          about: `${path.join(".")} = ${about(value)}`,
          request: withBody(subject, text(JSON.stringify(json))),
          expect: isData ? "harmless" : "refused",
        };
      }),
    );
  return [...outside, ...inside];
}

function longTexts(subject: Subject): HttpCase[] {
  const leaf = leavesOf(subject.good.json ?? null).find(({ value }) => typeof value === "string");
  if (leaf === undefined) return [];
  const json = replaced(subject.good.json, leaf.path, () => LONG_TEXT);
  return [refused(`${leaf.path.join(".")} of 1 MB`, withBody(subject, text(JSON.stringify(json))))];
}

function numberCases(subject: Subject, kind: Kind): HttpCase[] {
  const outside = placesOf(subject)
    .filter(isNumber)
    .flatMap((place) =>
      (NUMBER_TEXTS[kind] ?? []).map((value): HttpCase => {
        const isData = place.schema.safeParse(value).success;
        return {
          about: `${place.name} = ${value}`,
          request: place.put(value),
          expect: isData ? "harmless" : "refused",
        };
      }),
    );
  const inside = leavesOf(subject.good.json ?? null)
    .filter(({ value }) => typeof value === "number")
    .flatMap(({ path }) =>
      (NUMBER_TOKENS[kind] ?? []).map((token): HttpCase => {
        const json = replaced(subject.good.json, path, () => Number(token));
        const isData = kind !== 9 && subject.endpoint.body?.safeParse(json).success === true;
        const put = (placeholder: string) => replaced(subject.good.json, path, () => placeholder);
        return {
          about: `${path.join(".")} = ${token}`,
          request: withBody(subject, jsonWith(put, token)),
          expect: isData ? "harmless" : "refused",
        };
      }),
    );
  return [...outside, ...inside];
}

export function textRow(subject: Subject): Pick<Row<HttpCase>, 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 27> {
  const numbers = (kind: Kind) => cell(numberCases(subject, kind), NO_NUMBER);
  const texts = (kind: Kind) => cell(textCases(subject, kind), NO_TEXT);
  const { request } = subject;
  const climbing = [
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "%00",
    "//",
  ];
  const [address = "", query = ""] = request.target.split("?");
  const targets = climbing.map((end) =>
    refused(end, { ...request, target: `${address}${end}${query === "" ? "" : `?${query}`}` }),
  );
  return {
    9: numbers(9),
    10: numbers(10),
    27: numbers(27),
    11: cell([...textCases(subject, 11), ...longTexts(subject)], NO_TEXT),
    12: texts(12),
    13: { cases: [...targets, ...textCases(subject, 13)] },
    14: {
      cases: [
        ...textCases(subject, 14),
        refused(
          "a bare CR in a header",
          withHeader(request, "x-planted", `a\rset-cookie: ${PLANTED_COOKIE}=1`),
        ),
      ],
    },
    15: texts(15),
    16: texts(16),
  };
}

function about(value: string): string {
  return JSON.stringify(value.slice(0, 24));
}
