import type { z } from "zod";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { type WireError, wireErrorSchema } from "#shared/protocol/errors.ts";
import type { FieldError } from "#shared/protocol/fields.ts";

const ANSWER_MS = 30_000;

/** The request may or may not have arrived. */
export class NoAnswer extends Error {}

/** A running coordinator's API, for scripts of its operators. */
export class CoordinatorApi {
  readonly #base: string;
  readonly #token: string;

  /** @param token  An API token. */
  constructor(base: string, token: string) {
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

  async #ask<Schema extends z.ZodType>(
    path: string,
    {
      headers = {},
      ...request
    }: { method?: string; headers?: Record<string, string>; body?: string | Bytes },
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const url = new URL(`/api/v1${path}`, this.#base);
    const init = {
      ...request,
      headers: { ...headers, authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(ANSWER_MS),
    };
    const response = await fetch(url, init).catch(() => {
      throw new NoAnswer(`No coordinator answers at ${this.#base}. Check CHORUS_URL.`);
    });
    const answer: unknown = await response.json().catch(() => null);
    const parsed = schema.safeParse(answer);
    if (response.ok && parsed.success) return parsed.data;
    const refusal = wireErrorSchema.safeParse((answer as { readonly error?: unknown } | null)?.error);
    if (refusal.success) throw new Refusal(refusal.data);
    throw new Error(
      `What answers at ${this.#base} is no coordinator of this version (HTTP ${response.status}).`,
    );
  }
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
