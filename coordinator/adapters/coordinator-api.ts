import type { z } from "zod";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { type WireError, wireErrorSchema } from "#shared/protocol/errors.ts";
import type { FieldError } from "#shared/protocol/fields.ts";

const ANSWER_MS = 30_000;
/** The largest models take minutes on a slow line. */
const DOWNLOAD_MS = 600_000;

interface Request {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Bytes;
}

/** The request may or may not have arrived. */
export class NoAnswer extends Error {}

/** A running coordinator's API, for scripts of its operators. */
export class CoordinatorApi {
  readonly #base: string;
  readonly #token: string | null;

  /** @param token  An API token; null asks as anyone. */
  constructor(base: string, token: string | null) {
    this.#base = base;
    this.#token = token;
  }

  /** @throws Error with the coordinator's sentence, or with what to do if none answers. */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return this.#ask(path, {}, schema);
  }

  /** @throws Error as `get` does. */
  post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<z.output<Schema>> {
    const headers = { "content-type": "application/json" };
    return this.#ask(path, { method: "POST", headers, body: JSON.stringify(body) }, schema);
  }

  /** Sends a part of a body of bytes. @throws Error as `get` does. */
  put<Schema extends z.ZodType>(
    path: string,
    { bytes, from, total }: { readonly bytes: Bytes; readonly from: number; readonly total: number },
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const headers = {
      "content-type": "application/octet-stream",
      "content-range": `bytes ${from}-${from + bytes.length - 1}/${total}`,
    };
    return this.#ask(path, { method: "PUT", headers, body: bytes }, schema);
  }

  /** A file, with the name that the coordinator gives it. @throws Error as `get` does. */
  async download(path: string): Promise<{ readonly fileName: string; readonly bytes: Uint8Array }> {
    const response = await this.#fetch(path, {}, DOWNLOAD_MS);
    const [, fileName] =
      /filename="([\w.-]{1,200})"/.exec(response.headers.get("content-disposition") ?? "") ?? [];
    if (!response.ok || fileName === undefined) throw this.#refusal(response, await jsonOf(response));
    return { fileName, bytes: new Uint8Array(await response.arrayBuffer()) };
  }

  async #ask<Schema extends z.ZodType>(
    path: string,
    request: Request,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const response = await this.#fetch(path, request, ANSWER_MS);
    const answer = await jsonOf(response);
    const parsed = schema.safeParse(answer);
    if (response.ok && parsed.success) return parsed.data;
    throw this.#refusal(response, answer);
  }

  #fetch(path: string, { headers = {}, ...request }: Request, answerMs: number): Promise<Response> {
    const url = new URL(`/api/v1${path}`, this.#base);
    const authorization = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    const init = {
      ...request,
      headers: { ...headers, ...authorization },
      signal: AbortSignal.timeout(answerMs),
    };
    return fetch(url, init).catch(() => {
      throw new NoAnswer(`No coordinator answers at ${this.#base}. Check CHORUS_URL.`);
    });
  }

  #refusal(response: Response, answer: unknown): Error {
    const refusal = wireErrorSchema.safeParse((answer as { readonly error?: unknown } | null)?.error);
    if (refusal.success) return new Refusal(refusal.data);
    return new Error(
      `What answers at ${this.#base} is no coordinator of this version (HTTP ${response.status}).`,
    );
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  return response.json().catch(() => null);
}

/** The coordinator's answer to a request that it refused. */
export class Refusal extends Error {
  readonly code: WireError["code"];

  constructor(error: WireError) {
    super(withFields(error));
    this.code = error.code;
  }
}

/** The sentence of a refusal; a line for each field if there are several. */
function withFields({ message, fields = [] }: WireError): string {
  if (fields.length < 2) return message;
  return [`${fields.length} fields are wrong:`, ...fields.map(fieldLine)].join("\n");
}

/** "  aggregation.goal: Must be at least 3." */
export function fieldLine({ path, sentence }: FieldError): string {
  return `  ${path === "" ? "the whole" : path}: ${sentence}`;
}
