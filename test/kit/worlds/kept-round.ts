import { createHash } from "node:crypto";
import { modelFromBytes, modelToBytes } from "#shared/codec/model-bytes.ts";
import { chunkTree, VECTOR_CHUNK_BYTES, wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { merklePath } from "#shared/crypto/merkle.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { strategyOf } from "#shared/strategy/index.ts";
import { nextModel } from "#shared/strategy/next-model.ts";
import { strategyStateFromBytes, strategyStateToBytes } from "#shared/strategy/state-bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { AuditOptions } from "#shared/transcript/audit.ts";
import type { AuditSource, RoundClaims, RoundsBefore } from "#shared/transcript/claims.ts";
import type { SealedOpening } from "#shared/transcript/open-session.ts";
import { roundTranscriptHash } from "#shared/transcript/round-transcript.ts";
import {
  type SessionTranscript,
  transcriptDigest,
  transcriptFromBytes,
  transcriptToBytes,
} from "#shared/transcript/session-transcript.ts";
import { verifyRound } from "#shared/transcript/verify-round.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { coordinatesOf } from "#test/kit/vectors.ts";
import { seededRandom } from "../secagg-fixtures.ts";
import { Federation } from "./federation.ts";
import { hiddenDense } from "./small-task.ts";

/*
 * A round of one session that a federation kept, as plain values, and the ways in which a coordinator can lie about it.
 */

export interface KeptRound {
  readonly claims: RoundClaims;
  readonly transcript: SessionTranscript;
  readonly openings: readonly SealedOpening[];
  /** Sealed to the auditor. */
  readonly evidence: Bytes;
  /** Masked inputs by position. */
  readonly inputs: ReadonlyMap<Position, Bytes>;
  /** The published numbers. */
  readonly sum: Int32Array<ArrayBuffer>;
  readonly blobs: ReadonlyMap<string, Bytes>;
}

/** For a run's first round, launched with the federation's usual seed. */
const BEGINNING: RoundsBefore = { kind: "beginning", seed: 7, since: [] };

/** What a federation claims about its round. */
export function claimsOf(
  federation: Federation,
  detail: RoundDetail,
  before: RoundsBefore = BEGINNING,
): RoundClaims {
  const made = present(detail.transcript, "a transcript");
  return {
    runId: detail.runId,
    round: detail.round,
    sumHash: present(detail.sumHash, "a sum"),
    modelHash: present(detail.modelHash, "a model"),
    inputsRoot: present(detail.inputsRoot, "a root"),
    configHash: detail.configHash,
    roundHash: detail.roundHash,
    parentModelHash: detail.parentModelHash,
    transcriptHash: made.hash,
    shards: made.sessions.map(({ shard }) => shard),
    sessionHashes: made.sessions.map(({ hash }) => hash),
    survivorCounts: made.sessions.map(({ shard }) => {
      const { shardList } = detail;
      if (shardList === undefined) return detail.survivors;
      return present(shardList.find((one) => one.shard === shard)?.survivors, "a count");
    }),
    survivorCount: present(detail.survivors, "survivors"),
    weightSum: present(detail.weightSum, "a weight"),
    strategy: made.strategy,
    parentStateHash: made.parentStateHash,
    strategyStateHash: made.strategyStateHash,
    task: federation.task,
    before,
  };
}

/** What a federation kept of a round, with all its sessions. */
export function sourceOf({ db, disk }: Federation, { roundId, sumHash }: RoundDetail): AuditSource {
  const rowOf = (shard: number) => {
    const rows = [...db.transcripts.values()];
    return present(
      rows.find((row) => row.roundId === roundId && row.shard === shard),
      "a kept transcript",
    );
  };
  return {
    transcript: async (shard) => rowOf(shard).bytes,
    openings: async (shard) => {
      const kept = present(db.openings.get(rowOf(shard).sid), "kept openings");
      return [...kept].map(([position, sealed]) => ({ position, sealed }));
    },
    evidence: async (shard) => db.evidence.get(rowOf(shard).sid)?.sealed ?? null,
    chunk: async (shard, position, index) =>
      chunkOf(present(disk.spool.get(`${rowOf(shard).sid}/${position}`), "a kept input"), index),
    sum: () => piecesOf(present(disk.blobs.get(present(sumHash, "a sum")), "a published sum")),
    blob: async (hash) => disk.blobs.get(hash)?.slice() ?? null,
  };
}

async function chunkOf(input: Bytes, index: number) {
  const start = index * VECTOR_CHUNK_BYTES;
  const tree = await chunkTree(await selectPrimitives(globalThis.crypto.subtle), input);
  return { bytes: input.slice(start, start + VECTOR_CHUNK_BYTES), path: merklePath(tree, index) };
}

/** In pieces whose ends do not align with numbers. */
async function* piecesOf(bytes: Bytes): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 99_999) yield bytes.slice(start, start + 99_999);
}

export async function keptRound(
  federation: Federation,
  detail: RoundDetail,
  before?: RoundsBefore,
): Promise<KeptRound> {
  const source = sourceOf(federation, detail);
  const { disk } = federation;
  const transcript = transcriptFromBytes(present(await source.transcript(0), "a transcript"));
  assert(transcript.ok, "a transcript reads");
  const { sid, inputs } = transcript.value;
  const sumBytes = present(disk.blobs.get(present(detail.sumHash, "a sum")), "a published sum");
  return {
    claims: claimsOf(federation, detail, before),
    transcript: transcript.value,
    openings: present(await source.openings(0), "kept openings"),
    evidence: present(await source.evidence(0), "kept evidence"),
    inputs: new Map(
      inputs.map(({ position }) => {
        return [position, present(disk.spool.get(`${sid}/${position}`), "a kept input")];
      }),
    ),
    sum: new Int32Array(sumBytes.slice().buffer),
    blobs: disk.blobs,
  };
}

/** What a liar changes; everything that follows, hashes and the next model, is made to fit. */
export interface Lie {
  readonly transcript?: (transcript: SessionTranscript) => SessionTranscript;
  /** In place. */
  readonly sum?: (numbers: Int32Array) => void;
  readonly openings?: readonly SealedOpening[];
  readonly evidence?: Bytes;
  readonly inputs?: ReadonlyMap<Position, Bytes>;
  /** Applied after everything has been made to fit. */
  readonly claims?: Partial<RoundClaims>;
}

export async function lied(primitives: Primitives, kept: KeptRound, lie: Lie): Promise<KeptRound> {
  const transcript = lie.transcript?.(kept.transcript) ?? kept.transcript;
  const bytes = transcriptToBytes(transcript);
  const sum = kept.sum.slice();
  lie.sum?.(sum);
  const sumBytes = wordsToBytes(new Uint32Array(sum.buffer));
  const blobs = new Map(kept.blobs);
  const made = lie.sum === undefined ? {} : await modelOf(primitives, kept, sum, blobs);
  const claims = {
    ...kept.claims,
    ...made,
    sumHash: createHash("sha256").update(sumBytes).digest("hex"),
    sessionHashes: [await transcriptDigest(primitives, bytes)],
    ...lie.claims,
  };
  const transcriptHash = lie.claims?.transcriptHash ?? (await roundTranscriptHash(primitives, claims));
  return {
    claims: { ...claims, transcriptHash },
    transcript,
    openings: lie.openings ?? kept.openings,
    evidence: lie.evidence ?? kept.evidence,
    inputs: lie.inputs ?? kept.inputs,
    sum,
    blobs,
  };
}

/** The model and state that follow from a sum, added to `blobs`. */
async function modelOf(
  primitives: Primitives,
  { claims }: KeptRound,
  sum: Int32Array<ArrayBuffer>,
  blobs: Map<string, Bytes>,
): Promise<Pick<RoundClaims, "modelHash" | "strategyStateHash">> {
  const [layout, tensors] = [layoutOf(claims.task, "train", null), modelTensors(claims.task.model)];
  const { count } = coordinatesOf(layout);
  const strategy = strategyOf(claims.strategy);
  const parent = modelFromBytes(tensors, present(blobs.get(claims.parentModelHash), "a parent"));
  assert(parent.ok, "a parent reads");
  const before =
    claims.parentStateHash === null
      ? strategy.initialState(tensors.parameterCount)
      : readState(present(blobs.get(claims.parentStateHash), "a state"));
  function readState(bytes: Bytes) {
    const state = strategyStateFromBytes(strategy, tensors.parameterCount, bytes);
    assert(state.ok, "a state reads");
    return state.value;
  }
  const coordinateSum = sum.slice(0, count);
  const weightSum = present(sum[count], "a weight");
  const { runId, round } = claims;
  const sums = { runId, round, coordinateSum, weightSum };
  const next = await nextModel(primitives, layout, strategy, before, parent.value, sums);
  const put = (bytes: Bytes) => {
    const hash = createHash("sha256").update(bytes).digest("hex");
    blobs.set(hash, bytes);
    return hash;
  };
  const modelHash = put(modelToBytes(tensors, next.model));
  const hasState = Object.keys(next.state).length > 0;
  return {
    modelHash,
    strategyStateHash: hasState ? put(strategyStateToBytes(strategy, next.state)) : null,
  };
}

export interface Verdict {
  readonly verdict: string;
  readonly sentence: string;
  readonly lines: readonly string[];
}

export function verdictOn(
  primitives: Primitives,
  kept: KeptRound,
  auditorKey: Bytes,
  options: Partial<AuditOptions> = {},
): Promise<Verdict> {
  return verdictOf(primitives, kept.claims, sourceOn(kept), auditorKey, options);
}

export function sourceOn(kept: KeptRound): AuditSource {
  return {
    transcript: async () => transcriptToBytes(kept.transcript),
    openings: async () => kept.openings,
    evidence: async () => kept.evidence,
    chunk: async (_shard, position, index) => chunkOf(present(kept.inputs.get(position), "an input"), index),
    sum: () => piecesOf(new Uint8Array(kept.sum.buffer)),
    blob: async (hash) => kept.blobs.get(hash)?.slice() ?? null,
  };
}

/** The verdict of `verifyRound`: "holds", or code and sentence of what does not. */
export async function verdictOf(
  primitives: Primitives,
  claims: RoundClaims,
  source: AuditSource,
  auditorKey: Bytes,
  options: Partial<AuditOptions> = {},
): Promise<Verdict> {
  const lines: string[] = [];
  const verified = await verifyRound(primitives, claims, source, {
    auditorKey,
    chunks: "all",
    pins: {},
    random: seededRandom("draw"),
    digest: () => {
      const hash = createHash("sha256");
      return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
    },
    report: (line) => void lines.push(line),
    ...options,
  });
  return verified.ok
    ? { verdict: "holds", sentence: "", lines }
    : { verdict: verified.error.code, sentence: verified.error.sentence, lines };
}

/**
 * A run's second round, so that it has a history: nine chunks of sum, a strategy that keeps two moments, and a device
 * that left before its input.
 *
 * @param auditorKey  The auditor's public key.
 */
export async function keptSecondRound(auditorKey: Bytes): Promise<KeptRound> {
  const federation = await Federation.create({
    devices: 7,
    keeping: { rounds: 1, auditorKey },
    hidden: [hiddenDense(16_384)],
    task: {
      strategy: { kind: "fedadam", serverLearningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 0.001 },
    },
  });
  federation.connectAll();
  const runId = await federation.launch(2);
  const ofFirst = async () => (await federation.run(runId)).roundsCommitted === 1;
  await federation.until(ofFirst, "the first round");
  present(federation.devices[2], "a device").goneBefore = "input";
  await federation.ended(runId);
  const [first, second] = await federation.rounds(runId);
  return keptRound(federation, present(second, "a second round"), {
    kind: "committed",
    round: 1,
    modelHash: present(first?.modelHash, "a model"),
    strategyStateHash: present(first?.transcript, "a transcript").strategyStateHash,
    since: [],
  });
}
