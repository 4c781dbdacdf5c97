import { merkleRoot } from "../crypto/merkle.ts";
import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import { type DecodedSum, decodeSum } from "../vector/decode.ts";
import type { VectorLayout } from "../vector/layout.ts";
import { evidenceLength, ringWords, segmentAt } from "../vector/publish.ts";
import { weight } from "../vector/segments/weight.ts";
import { SumOfShards } from "../vector/sum.ts";
import { layoutOf } from "../vector/task-layout.ts";
import { checkGroups, GroupTotals, groupsLine } from "./check-groups.ts";
import { checkModel } from "./check-model.ts";
import { checkParent } from "./check-parent.ts";
import { type CheckedSession, checkSession } from "./check-session.ts";
import { checkTask, type Pins } from "./check-task.ts";
import type { AuditSource, RoundClaims } from "./claims.ts";
import { openEvidence } from "./evidence.ts";
import { type Checked, fault, withheld } from "./fault.ts";
import { openSession } from "./open-session.ts";
import { type Digest, SessionSums } from "./published-sums.ts";
import { roundTranscriptHash } from "./round-transcript.ts";
import {
  TRANSCRIPT_VERSION,
  transcriptDigest,
  transcriptFromBytes,
  transcriptVersion,
} from "./session-transcript.ts";
import {
  chunkCountOf,
  coverEvidence,
  detectionProbability,
  drawChunks,
  firstDifference,
  type InputChunk,
  remakeChunk,
} from "./spot-check.ts";

export interface AuditOptions {
  /** Chunks to draw over the whole round; "all" makes every one anew. */
  readonly chunks: number | "all";
  readonly pins: Pins;
  /** The auditor's X25519 secret. */
  readonly auditorKey: Bytes;
  readonly random: RandomBytes;
  readonly digest: () => Digest;
  /** One line for people, as soon as it is known. */
  readonly report: (line: string) => void;
}

/**
 * Looks at a committed round from outside: every signature, every rebuilt secret, the sum in the chunks that are asked
 * for, and the next model to the last bit. Stops at the first thing that does not hold. Memory: a few models.
 *
 * @returns How likely one wrong chunk would have been found.
 * Rules A1 to A6, A8.
 */
export async function verifyRound(
  primitives: Primitives,
  claims: RoundClaims,
  source: AuditSource,
  options: AuditOptions,
): Promise<Checked<{ readonly detection: number }>> {
  const { report } = options;
  const hash = await roundTranscriptHash(primitives, claims);
  if (hash !== claims.transcriptHash)
    return fault(
      "TRANSCRIPT_HASH",
      `The parts of the transcript make ${hash}, not ${claims.transcriptHash}.`,
    );
  report(`Transcript ${hash}: made of what follows.`);
  const groups = checkGroups(claims);
  if (!groups.ok) return groups;
  const inSum = groupsLine(groups.value, claims.shards);
  if (inSum !== null) report(inSum);

  // What the round is for, and so its vector, stands in each of its transcripts, under the one hash of its parameters.
  const first = await readSession(primitives, claims, source, 0, options);
  if (!first.ok) return first;
  const { roundParams } = first.value.roster.attempt.terms;
  const layout = layoutOf(claims.task, roundParams.purpose, roundParams);
  const perShard = chunkCountOf(layout);
  const total = perShard * claims.shards.length;
  const drawn = options.chunks === "all" ? total : Math.min(options.chunks, total);
  const chosen = drawn === total ? [...Array(total).keys()] : drawChunks(options.random, drawn, total);
  const sum = new SessionSums(layout, source.sum(), options.digest());
  const all = new SumOfShards(layout);
  const roots: Bytes[] = [];
  const totals = new GroupTotals();
  let remadeCount = 0;
  for (const [place, shard] of claims.shards.entries()) {
    const session = place === 0 ? first : await readSession(primitives, claims, source, place, options);
    if (!session.ok) return session;
    roots.push(session.value.inputsRoot);
    const { roster, sets } = session.value;
    const survivorCount = sets.u3.positions.length;
    const fits = totals.add(shard, roster.attempt.terms.attempt, survivorCount);
    if (!fits.ok) return fits;
    const counted = checkCount(`inputs of group ${shard}`, claims.survivorCounts[place], survivorCount);
    if (!counted.ok) return counted;
    const published = await sum.next();
    if (!published.ok) return published;
    const indexes = chosen
      .filter((chunk) => Math.floor(chunk / perShard) === place)
      .map((chunk) => chunk % perShard);
    const decoded = await checkSum(
      primitives,
      { layout, session: session.value, shard, published: published.value, indexes },
      source,
      options,
    );
    if (!decoded.ok) {
      // A key that opened the boxes of another group is the right one.
      const isBox = decoded.error.code === "AUDITOR_KEY" && place > 0;
      return isBox ? fault("OPENING_SEAL", decoded.error.sentence) : decoded;
    }
    all.add(decoded.value);
    if (coverEvidence(layout, indexes)) remadeCount++;
  }
  report(evidenceLine(layout, claims.shards.length, remadeCount));
  for (const counted of [
    checkCount("inputs", claims.survivorCount, totals.survivorCount),
    checkCount("weight", claims.weightSum, all.read(weight)),
  ])
    if (!counted.ok) return counted;
  const { goal } = claims.task.aggregation;
  if (totals.survivorCount < goal)
    report(`Note: ${totals.survivorCount} inputs are in the sum; the task aims at ${goal}.`);
  const ended = await checkSumHash(sum, claims);
  if (!ended.ok) return ended;
  const root = await checkInputsRoot(primitives, claims, roots);
  if (!root.ok) return root;
  const detection = detectionProbability(total, 1, drawn);
  report(oddsLine(total, drawn));
  const parent = await checkParent(primitives, claims, source);
  if (!parent.ok) return parent;
  report(parent.value);
  const model = await checkModel(primitives, claims, layout, all, source, report);
  return model.ok ? ok({ detection }) : model;
}

async function readSession(
  primitives: Primitives,
  claims: RoundClaims,
  source: AuditSource,
  place: number,
  { report, pins }: AuditOptions,
): Promise<Checked<CheckedSession>> {
  const shard = claims.shards[place] as number;
  const bytes = await source.transcript(shard);
  if (bytes === null) {
    return place === 0
      ? fault("NOT_KEPT", "The transcript of this round is not kept any more.")
      : withheld(`The transcript of group ${shard}`);
  }
  const digest = await transcriptDigest(primitives, bytes);
  const named = claims.sessionHashes[place];
  if (digest !== named)
    return fault("TRANSCRIPT_HASH", `The transcript of shard ${shard} has the hash ${digest}, not ${named}.`);
  const transcript = transcriptFromBytes(bytes);
  const version = transcript.ok ? null : transcriptVersion(bytes);
  if (version !== null && version < TRANSCRIPT_VERSION)
    return fault(
      "OLD_VERSION",
      `An earlier version of Chorus made this round (transcript version ${version}); check it with that version.`,
    );
  if (!transcript.ok || transcript.value.shard !== shard)
    return fault("TRANSCRIPT", `The transcript of shard ${shard} is not one.`);
  const fits = await checkTask(primitives, claims, transcript.value, pins);
  if (!fits.ok) return fits;
  if (place === 0) for (const line of fits.value) report(line);
  const session = await checkSession(primitives, transcript.value, claims);
  if (!session.ok) return session;
  const { roster, sets, signatureCount } = session.value;
  const name = claims.shards.length === 1 ? "" : `Shard ${shard}: `;
  report(
    `${name}${signatureCount} signatures hold: ${roster.members.length} devices, ${sets.u3.positions.length} inputs in the sum, ${roster.thresholds.q} needed.`,
  );
  return session;
}

/** @param said  Null or undefined where the round's record does not say. */
function checkCount(what: string, said: number | null | undefined, made: number): Checked<void> {
  if (said === null || said === undefined || said === made) return ok(undefined);
  return fault("COUNTS", `The round shows ${said} as its ${what}; its sum has ${made}.`);
}

interface SumUnderAudit {
  readonly layout: VectorLayout;
  readonly session: CheckedSession;
  readonly shard: number;
  /** Published numbers of this session. */
  readonly published: Int32Array;
  readonly indexes: readonly number[];
}

async function checkSum(
  primitives: Primitives,
  { layout, session, shard, published, indexes }: SumUnderAudit,
  source: AuditSource,
  { auditorKey, report }: AuditOptions,
): Promise<Checked<DecodedSum>> {
  const sealed = await source.openings(shard);
  if (sealed === null) return withheld("The list of opening shares");
  const opened = await openSession(primitives, session, auditorKey, sealed);
  if (!opened.ok) return opened;
  const { masks, openingCount, notes } = opened.value;
  for (const note of notes) report(`Note: ${note}`);
  report(`${openingCount} devices opened the sum; ${masks.length} masks rebuilt, each as announced.`);

  const box = await source.evidence(shard);
  if (box === null) return withheld(`The evidence of group ${shard}`);
  const committed = {
    sid: session.roster.sid,
    length: evidenceLength(layout),
    commitment: session.evidenceHash,
  };
  const evidence = await openEvidence(primitives, auditorKey, committed, box);
  if (!evidence.ok)
    return evidence.error === "sealed"
      ? fault("EVIDENCE", "The evidence does not open with this key, or is of another session.")
      : fault("EVIDENCE", "The evidence is not what the transcript commits to.");
  const ring = ringWords(layout, published, evidence.value.words);
  if (!ring.ok)
    return fault(
      "SUM",
      `Number ${ring.error.index} of the published sum is ${ring.error.value}: no sum of the 16-bit ring.`,
    );
  const words = ring.value;
  const fetch = async (position: number, index: number): Promise<Checked<InputChunk>> => {
    const chunk = await source.chunk(shard, position, index);
    return chunk === null
      ? withheld(`Chunk ${index} of the masked input at position ${position}`)
      : ok(chunk);
  };
  for (const index of indexes) {
    const remade = await remakeChunk(primitives, layout, session, masks, index, fetch);
    if (!remade.ok) return remade;
    const different = firstDifference(words, remade.value, index);
    if (different !== null) {
      const { word, said, remade: made } = different;
      const { name, publish } = segmentAt(layout, word);
      if (publish === "evidence")
        return fault("EVIDENCE", `The ${name} of the round are not those that the inputs make.`);
      return fault(
        "SUM",
        `The sum is wrong in chunk ${index}, word ${word}: published ${said}, the inputs make ${made}.`,
      );
    }
  }
  for (const { key } of masks) key.fill(0);
  const decoded = decodeSum(layout, words, session.sets.u3.positions.length);
  if (decoded.ok) return decoded;
  const where = decoded.error.type === "sentinel" ? "A check number" : `A number of ${decoded.error.segment}`;
  return fault(
    "RANGE",
    `${where} of the sum is ${decoded.error.value}; ${session.sets.u3.positions.length} inputs cannot make that.`,
  );
}

async function checkSumHash(sum: SessionSums, claims: RoundClaims): Promise<Checked<void>> {
  const digest = await sum.end();
  if (digest === claims.sumHash) return ok(undefined);
  return fault(
    "SUM_HASH",
    `The published sum has the hash ${digest ?? "of more bytes"}, not ${claims.sumHash}.`,
  );
}

async function checkInputsRoot(
  primitives: Primitives,
  { inputsRoot }: RoundClaims,
  roots: readonly Bytes[],
): Promise<Checked<void>> {
  const [first] = roots;
  const root = roots.length === 1 && first !== undefined ? first : await merkleRoot(primitives, roots);
  if (bytesToHex(root) === inputsRoot) return ok(undefined);
  return fault("INPUTS_ROOT", `The inputs make the root ${bytesToHex(root)}; the round shows ${inputsRoot}.`);
}

function evidenceLine(layout: VectorLayout, count: number, remadeCount: number): string {
  const names = layout.segments.filter(({ publish }) => publish === "evidence").map(({ name }) => name);
  const rest = remadeCount < count ? "; the rest was not drawn" : "";
  return `Evidence that is not published (${names.join(", ")}): matches its commitment, and was made anew in ${remadeCount} of ${count} sums${rest}.`;
}

/** What a draw of so many chunks can tell. */
export function oddsLine(total: number, drawn: number): string {
  if (drawn === total)
    return `All ${total} chunks of 64 KiB of the sum made anew: a wrong number anywhere would have been found.`;
  const percent = (wrong: number) =>
    percentOf(total - wrong < drawn, detectionProbability(total, wrong, drawn));
  const tenth = Math.max(1, Math.round(total / 10));
  const several = tenth === 1 ? "" : `, any ${tenth} wrong ones with ${percent(tenth)}`;
  return `${drawn} of ${total} chunks of 64 KiB of the sum made anew: one wrong chunk is found with a probability of ${percent(1)}${several}.`;
}

/** Never 100 or 0 for what is neither certain nor impossible. */
function percentOf(isCertain: boolean, probability: number): string {
  if (isCertain) return "100 %";
  if (probability > 0.999) return "over 99.9 %";
  const percent = 100 * probability;
  return `${percent < 0.1 ? percent.toPrecision(1) : percent.toFixed(1)} %`;
}
