import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";

/** A request by hand. Nothing in it is corrected: that is the point. */
export interface RawRequest {
  readonly method: string;
  /** What stands between method and version. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | null;
}

/** A request that an endpoint accepts, in parts. */
export interface GoodRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: none is sent. */
  readonly json: unknown;
  readonly bytes: Uint8Array | null;
}

/** Parts of a request, already written as they are to be sent. */
export interface Written {
  readonly params: Readonly<Record<string, string>>;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | null;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function write({ params, query, headers, json, bytes }: GoodRequest): Written {
  const encoded = Object.entries(params).map(([name, value]) => [name, encodeText(value)]);
  return {
    params: Object.fromEntries(encoded),
    query: Object.entries(query)
      .map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`)
      .join("&"),
    headers: [
      ...(json === undefined ? [] : [["content-type", "application/json"] as const]),
      ...(bytes === null ? [] : [["content-type", "application/octet-stream"] as const]),
      ...Object.entries(headers),
    ],
    body: json === undefined ? bytes : text(JSON.stringify(json)),
  };
}

/** Percent-encodes what encodeURIComponent leaves alone too, and halves of characters as invalid UTF-8. */
export function encodeText(value: string): string {
  return [...value]
    .map((character) =>
      /\p{Surrogate}/u.test(character)
        ? "%ED%A0%80"
        : encodeURIComponent(character).replaceAll(
            /[!'()*]/g,
            (sign) => `%${sign.charCodeAt(0).toString(16)}`,
          ),
    )
    .join("");
}

export function requestOf({ method, path }: Endpoint, { params, query, headers, body }: Written): RawRequest {
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? "");
  return {
    method: method.toUpperCase(),
    target: query === "" ? address : `${address}?${query}`,
    headers: [
      ["host", "localhost"],
      ["connection", "close"],
      ...headers,
      ...(body === null ? [] : [["content-length", String(body.length)] as const]),
    ],
    body,
  };
}

/** With this header instead of the one of that name, or without it. */
export function withHeader<Request extends { readonly headers: RawRequest["headers"] }>(
  request: Request,
  name: string,
  value: string | null,
): Request {
  const others = request.headers.filter(([other]) => other !== name);
  return { ...request, headers: value === null ? others : [...others, [name, value]] };
}

const PLACEHOLDER = "\u2060placeholder";

/** JSON with this token at a place that held something else: NaN, or a key twice. */
export function jsonWith(withPlaceholder: (placeholder: string) => unknown, token: string): Uint8Array {
  return text(JSON.stringify(withPlaceholder(PLACEHOLDER)).replace(JSON.stringify(PLACEHOLDER), () => token));
}
