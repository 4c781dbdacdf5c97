import type { z } from "zod";
import { type Bytes, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import {
  type RoundDetail,
  roundDetailSchema,
  runViewSchema,
  sealedOpeningsSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import type { AuditSource, RoundClaims, RoundsBefore, RoundWithoutModel } from "#shared/transcript/claims.ts";
import { MERKLE_PATH_HEADER } from "./http/api/transcripts.ts";

/** A round cannot be looked at: the sentence says why and what to do. */
export class CannotAudit extends Error {}

/**
 * A round over a coordinator's public API; what comes is believed only as far as `verifyRound` can check it.
 *
 * @param base  Of the coordinator, e.g. http://localhost:3000. @param roundId  32 hex digits.
 * @throws CannotAudit
 */
export async function openAuditSource(
  primitives: Primitives,
  base: string,
  roundId: string,
): Promise<{ readonly claims: RoundClaims; readonly source: AuditSource; readonly detail: RoundDetail }> {
  const api = new AuditApi(base);
  const detail = await api.json(`/rounds/${roundId}`, roundDetailSchema);
  if (detail === null) throw new CannotAudit(`The coordinator knows no round ${roundId}.`);
  if (detail.phase !== "committed") {
    throw new CannotAudit(
      `Round ${detail.round} is ${detail.phase}; only a committed round has a sum and a model to check.`,
    );
  }
  const { transcript, sumHash, modelHash, inputsRoot } = detail;
  if (transcript === undefined || sumHash === null || modelHash === null || inputsRoot === null)
    throw new CannotAudit("This round is older than transcripts; there is nothing to check it by.");
  if ((await roundIdOf(primitives, detail.runId, detail.round)) !== roundId)
    throw new CannotAudit(`Round ${roundId} is not the one that its run and number make.`);
  const view = await api.json(`/tasks/${detail.task}/${detail.taskVersion}`, taskViewSchema);
  if (view === null) throw new CannotAudit(`The coordinator does not give task ${detail.task}.`);
  const claims: RoundClaims = {
    ...{ sumHash, modelHash, inputsRoot },
    runId: detail.runId,
    round: detail.round,
    configHash: detail.configHash,
    roundHash: detail.roundHash,
    parentModelHash: detail.parentModelHash,
    transcriptHash: transcript.hash,
    shards: transcript.sessions.map(({ shard }) => shard),
    sessionHashes: transcript.sessions.map(({ hash }) => hash),
    survivorCounts: transcript.sessions.map(({ shard }) =>
      detail.shardList === undefined
        ? detail.survivors
        : (detail.shardList.find((one) => one.shard === shard)?.survivors ?? null),
    ),
    survivorCount: detail.survivors,
    weightSum: detail.weightSum,
    strategy: transcript.strategy,
    parentStateHash: transcript.parentStateHash,
    strategyStateHash: transcript.strategyStateHash,
    task: view.task,
    before: await roundsBefore(api, primitives, detail),
  };
  return { claims, detail, source: api.source(roundId) };
}

/** From the run's records: back to the newest committed round before, or to the run's beginning. */
async function roundsBefore(
  api: AuditApi,
  primitives: Primitives,
  { runId, round }: RoundDetail,
): Promise<RoundsBefore> {
  const since: RoundWithoutModel[] = [];
  for (let before = round - 1; before >= 1; before--) {
    const path = `/rounds/${await roundIdOf(primitives, runId, before)}`;
    const detail = await api.json(path, roundDetailSchema);
    if (detail === null || detail.runId !== runId || detail.round !== before)
      return { kind: "unknown", why: `the coordinator has no record of round ${before}.` };
    const { phase, modelHash, parentModelHash, transcript } = detail;
    if (phase === "committed" && modelHash !== null) {
      const { strategyStateHash } = transcript ?? {};
      return { kind: "committed", round: before, modelHash, strategyStateHash, since };
    }
    if (phase !== "voided" && phase !== "failed")
      return { kind: "unknown", why: `round ${before} has not ended in its record, but ${phase}.` };
    since.unshift({ round: before, phase, parentModelHash });
  }
  const run = await api.json(`/runs/${runId}`, runViewSchema);
  if (run === null) return { kind: "unknown", why: "the coordinator has no record of the run." };
  return { kind: "beginning", seed: run.seed, since };
}

/** Of one request that comes too fast for the coordinator, or while others read. */
const TRIES_MAX = 20;

class AuditApi {
  readonly #base: string;

  constructor(base: string) {
    this.#base = `${base.replace(/\/+$/, "")}/api/v1`;
  }

  async #get(path: string, tries = 1): Promise<Response | null> {
    let response: Response;
    try {
      response = await fetch(this.#base + path);
    } catch {
      throw new CannotAudit(`There is no coordinator at ${this.#base}. Give its address with --coordinator.`);
    }
    if (response.ok) return response;
    await response.body?.cancel();
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
    if (!parsed.success) throw new CannotAudit(`The coordinator's answer to ${path} is not as described.`);
    return parsed.data;
  }

  async #bytes(path: string): Promise<Bytes | null> {
    const response = await this.#get(path);
    return response === null ? null : new Uint8Array(await response.arrayBuffer());
  }

  source(roundId: string): AuditSource {
    const round = `/rounds/${roundId}`;
    const get = (path: string) => this.#get(path);
    return {
      transcript: (shard) => this.#bytes(`${round}/transcript/${shard}`),
      openings: async (shard) => {
        const bytes = await this.#bytes(`${round}/transcript/${shard}/openings`);
        const list = bytes === null ? null : sealedOpeningsSchema.safeParse(jsonOf(bytes));
        // Anything else than a list of boxes is as good as none.
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

/** Undefined for what is no JSON. */
function jsonOf(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
