import type { z } from "zod";
import { claimsOfRecord } from "#shared/audit/record.ts";
import { type Records, roundsBefore } from "#shared/audit/rounds-before.ts";
import { openSealed } from "#shared/crypto/sealed-box.ts";
import { type Bytes, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { auditorPassSchema } from "#shared/protocol/access-api.ts";
import {
  type RoundDetail,
  type RunView,
  roundDetailSchema,
  runViewSchema,
  sealedOpeningsSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import { aliasesSchema, type ModelVersionView, modelVersionSchema } from "#shared/protocol/registry.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import type { AuditSource, RoundClaims } from "#shared/transcript/claims.ts";
import { MERKLE_PATH_HEADER } from "./http/api/transcripts.ts";

/** The round cannot be checked. The message says why and what to do. */
export class CannotAudit extends Error {}

/**
 * Reads a round over a coordinator's public API. Nothing is trusted beyond what `verifyRound` can check.
 *
 * @param base     Address of the coordinator, such as http://localhost:3000.
 * @param roundId  32 hex digits.
 * @param asks     How it shows that it may: `bearer` returns a token, a fresh one if asked again.
 * @throws CannotAudit
 */
export async function openAuditSource(
  primitives: Primitives,
  base: string,
  roundId: string,
  asks: AuditBearer,
): Promise<{ readonly claims: RoundClaims; readonly source: AuditSource; readonly detail: RoundDetail }> {
  const api = new AuditApi(base, asks);
  const detail = await api.round(roundId);
  if (detail === null) throw new CannotAudit(`The coordinator has no round ${roundId}.`);
  if (detail.phase !== "committed") {
    throw new CannotAudit(
      `Round ${detail.round} is ${detail.phase}; only a committed round has a sum and a model to check.`,
    );
  }
  if ((await roundIdOf(primitives, detail.runId, detail.round)) !== roundId)
    throw new CannotAudit(`Round ${roundId} does not match its run and number.`);
  const view = await api.json(`/tasks/${detail.task}/${detail.taskVersion}`, taskViewSchema);
  if (view === null) throw new CannotAudit(`The coordinator does not serve task ${detail.task}.`);
  const before = await roundsBefore(primitives, api, detail);
  const claims = claimsOfRecord(detail, view.task, before);
  if (claims === null)
    throw new CannotAudit("This round is older than transcripts, so there is nothing to check it against.");
  return { claims, detail, source: api.source(roundId) };
}

/** The record of a round; null if the coordinator has none. @throws CannotAudit */
export async function readRecord(
  base: string,
  roundId: string,
  asks: AuditBearer,
): Promise<RoundDetail | null> {
  return new AuditApi(base, asks).round(roundId);
}

/** A run; null if the coordinator has none. @throws CannotAudit */
export async function readRun(base: string, runId: string, asks: AuditBearer): Promise<RunView | null> {
  return new AuditApi(base, asks).run(runId);
}

/** One of a task's models by its number or alias; null if there is none. @throws CannotAudit */
export async function readModelVersion(
  base: string,
  { slug, name }: { readonly slug: string; readonly name: string },
  asks: AuditBearer,
): Promise<ModelVersionView | null> {
  const api = new AuditApi(base, asks);
  if (/^\d+$/.test(name)) return api.json(`/tasks/${slug}/models/${name}`, modelVersionSchema);
  const aliases = await api.json(`/tasks/${slug}/aliases`, aliasesSchema);
  const found = aliases?.items.find(({ alias }) => alias === name);
  if (found?.version == null) return null;
  return api.json(`/tasks/${slug}/models/${found.version}`, modelVersionSchema);
}

/** Attempts per request while the coordinator is busy or asks for a slower rate. */
const TRIES_MAX = 20;

/** @returns A bearer token; null to ask without one. */
export type AuditBearer = () => Promise<string | null>;

/** A pass sealed to the auditor's key, which only that key opens. @throws CannotAudit */
export function passBearer(primitives: Primitives, base: string, auditorKey: Bytes): AuditBearer {
  return async () => {
    const response = await answerOf(`${apiOf(base)}/auditor-pass`, { method: "POST" });
    // It keeps no rounds for anybody, and says so where they are asked for.
    if (response.status === 404) return null;
    const answer = auditorPassSchema.safeParse(jsonOf(new Uint8Array(await response.arrayBuffer())));
    if (!answer.success)
      throw new CannotAudit(
        `The coordinator answered ${response.status} to a request for an auditor's pass.`,
      );
    const sealed = hexToBytes(answer.data.sealed);
    const pass = await openSealed(primitives, auditorKey, "auditor-pass", sealed);
    if (!pass.ok)
      throw new CannotAudit(
        "This is not the auditor's key: the coordinator keeps rounds for another one. Give the file of the secret key with --auditor-key.",
      );
    return new TextDecoder().decode(pass.value);
  };
}

function apiOf(base: string): string {
  return `${base.replace(/\/+$/, "")}/api/v1`;
}

/** @throws CannotAudit if nobody answers. */
async function answerOf(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new CannotAudit(`There is no coordinator at ${url}. Give its address with --coordinator.`);
  }
}

class AuditApi implements Records {
  readonly #base: string;
  readonly #asks: AuditBearer;
  #bearer: string | null | undefined;

  constructor(base: string, asks: AuditBearer) {
    this.#asks = asks;
    this.#base = apiOf(base);
  }

  async #get(path: string, tries = 1): Promise<Response | null> {
    if (this.#bearer === undefined) this.#bearer = await this.#asks();
    const headers = this.#bearer === null ? {} : { authorization: `Bearer ${this.#bearer}` };
    const response = await answerOf(this.#base + path, { headers });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 401 && this.#bearer !== null && tries === 1) {
      // A pass lasts for minutes.
      this.#bearer = undefined;
      return this.#get(path, tries + 1);
    }
    if (response.status === 404) return null;
    const isPassing = response.status === 429 || response.status === 503;
    if (isPassing && tries < TRIES_MAX) {
      const waitS = Math.min(60, Number(response.headers.get("retry-after") ?? 1) || 1);
      await new Promise((resolve) => setTimeout(resolve, 1_000 * waitS));
      return this.#get(path, tries + 1);
    }
    throw new CannotAudit(`The coordinator answered ${response.status} to ${path}.`);
  }

  async json<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema> | null> {
    const response = await this.#get(path);
    if (response === null) return null;
    const parsed = schema.safeParse(jsonOf(new Uint8Array(await response.arrayBuffer())));
    if (!parsed.success)
      throw new CannotAudit(`The coordinator's answer to ${path} has an unexpected shape.`);
    return parsed.data;
  }

  async #bytes(path: string): Promise<Bytes | null> {
    const response = await this.#get(path);
    return response === null ? null : new Uint8Array(await response.arrayBuffer());
  }

  round(roundId: string): Promise<RoundDetail | null> {
    return this.json(`/rounds/${roundId}`, roundDetailSchema);
  }

  run(runId: string): Promise<RunView | null> {
    return this.json(`/runs/${runId}`, runViewSchema);
  }

  source(roundId: string): AuditSource {
    const round = `/rounds/${roundId}`;
    const get = (path: string) => this.#get(path);
    return {
      transcript: (shard) => this.#bytes(`${round}/transcript/${shard}`),
      openings: async (shard) => {
        const bytes = await this.#bytes(`${round}/transcript/${shard}/openings`);
        const list = bytes === null ? null : sealedOpeningsSchema.safeParse(jsonOf(bytes));
        // Anything but a list of sealed shares counts as none.
        if (list?.success !== true) return null;
        return list.data.items.map(({ position, sealed }) => ({ position, sealed: hexToBytes(sealed) }));
      },
      evidence: (shard) => this.#bytes(`${round}/transcript/${shard}/evidence`),
      chunk: async (shard, position, index) => {
        const response = await get(`${round}/transcript/${shard}/inputs/${position}/${index}`);
        if (response === null) return null;
        const path = response.headers.get(MERKLE_PATH_HEADER) ?? "";
        const hashes = path.split(",").filter((hash) => /^[0-9a-f]{64}$/.test(hash));
        return { bytes: new Uint8Array(await response.arrayBuffer()), path: hashes.map(hexToBytes) };
      },
      sum: async function* () {
        const response = await get(`${round}/sum`);
        for await (const piece of response?.body ?? []) yield piece;
      },
      blob: (hash) => this.#bytes(`/models/${hash}`),
    };
  }
}

/** Undefined if `bytes` is not JSON. */
function jsonOf(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
