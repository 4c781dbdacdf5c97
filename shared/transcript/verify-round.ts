import { merkleRoot } from "../crypto/merkle.ts";
import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import { type AgreedLog, agreedLog } from "../task/config.ts";
import type { VectorLayout } from "../vector/layout.ts";
import { weight } from "../vector/segments/weight.ts";
import { SumOfShards } from "../vector/sum.ts";
import { layoutOf } from "../vector/task-layout.ts";
import type { Audit, AuditOptions } from "./audit.ts";
import { checkGroups, GroupTotals, groupsLine } from "./check-groups.ts";
import { checkModel } from "./check-model.ts";
import { checkParent } from "./check-parent.ts";
import type { CheckedSession } from "./check-session.ts";
import { checkSum } from "./check-sum.ts";
import type { AuditSource, RoundClaims } from "./claims.ts";
import { type Checked, fault } from "./fault.ts";
import { oddsLine } from "./odds.ts";
import { checkSumHash, SessionSums } from "./published-sums.ts";
import { readSession } from "./read-session.ts";
import { roundTranscriptHash } from "./round-transcript.ts";
import { chunkCountOf, coverEvidence, detectionProbability, drawChunks } from "./spot-check.ts";
import { headsOf, type StatedHead } from "./stated-head.ts";

/**
 * Audits a committed round from outside: every signature, every rebuilt secret, the sum in the drawn chunks, and the next
 * model to the last bit. Stops at the first fault. Needs memory for a few models.
 *
 * Does not look at the public log: whoever does holds the states that the devices signed against it (`checkServedHeads`).
 *
 * @returns The probability that a single wrong chunk would have been found, and what the devices signed of the log.
 * Rules A1 to A6, A8.
 */
export async function verifyRound(
  primitives: Primitives,
  claims: RoundClaims,
  source: AuditSource,
  options: AuditOptions,
): Promise<Checked<VerifiedRound>> {
  const audit: Audit = { ...options, primitives, claims, source };
  const { report } = options;
  const listed = await checkRecord(audit);
  if (!listed.ok) return listed;

  // Each transcript contains the round's parameters under the same hash, and with them the purpose and the layout.
  const first = await readSession(audit, 0);
  if (!first.ok) return first;
  const { roundParams } = first.value.roster.attempt.terms;
  const layout = layoutOf(claims.task, roundParams.purpose, roundParams);
  const draw = drawOf(audit, layout);
  const summed = await checkShards(audit, layout, first.value, draw.chosen);
  if (!summed.ok) return summed;
  const detection = detectionProbability(draw.total, 1, draw.chosen.length);
  report(oddsLine(draw.total, draw.chosen.length));
  const parent = await checkParent(primitives, claims, source);
  if (!parent.ok) return parent;
  report(parent.value.line);
  const model = await checkModel(primitives, claims, layout, summed.value.sum, source, report);
  if (!model.ok) return model;
  const log = agreedLog(first.value.roster.attempt.terms.config);
  return ok({ detection, log: log === null ? null : { ...log, heads: summed.value.heads } });
}

export interface VerifiedRound {
  readonly detection: number;
  /** The log that devices agreed to, and the states of it that they signed; null if they agreed to none. */
  readonly log: (AgreedLog & { readonly heads: readonly StatedHead[] }) | null;
}

/** Checks the hash of the round's transcript and the list of its groups before any transcript is read. */
async function checkRecord({ primitives, claims, report }: Audit): Promise<Checked<void>> {
  const hash = await roundTranscriptHash(primitives, claims);
  if (hash !== claims.transcriptHash)
    return fault(
      "TRANSCRIPT_HASH",
      `The parts of the transcript have the hash ${hash}, not ${claims.transcriptHash}.`,
    );
  report(`Transcript ${hash}: made of the following parts.`);
  const groups = checkGroups(claims);
  if (!groups.ok) return groups;
  const inSum = groupsLine(groups.value, claims.shards);
  if (inSum !== null) report(inSum);
  return ok(undefined);
}

interface Draw {
  /** Chunks of the whole round, over all shards. */
  readonly total: number;
  /** Those to remake, ascending. */
  readonly chosen: readonly number[];
}

function drawOf({ claims, chunks, random }: Audit, layout: VectorLayout): Draw {
  const total = chunkCountOf(layout) * claims.shards.length;
  const drawn = chunks === "all" ? total : Math.min(chunks, total);
  const chosen = drawn === total ? [...Array(total).keys()] : drawChunks(random, drawn, total);
  return { total, chosen };
}

/** Checks the sum of every shard, and the record's claims about all of them. @returns The sums, added up, and heads. */
async function checkShards(
  audit: Audit,
  layout: VectorLayout,
  first: CheckedSession,
  chosen: readonly number[],
): Promise<Checked<{ readonly sum: SumOfShards; readonly heads: readonly StatedHead[] }>> {
  const { primitives, claims, source, report } = audit;
  const perShard = chunkCountOf(layout);
  const sum = new SessionSums(layout, source.sum(), audit.digest());
  const all = new SumOfShards(layout);
  const roots: Bytes[] = [];
  const heads: StatedHead[] = [];
  const totals = new GroupTotals();
  let remadeCount = 0;
  for (const [place, shard] of claims.shards.entries()) {
    const session = place === 0 ? ok(first) : await readSession(audit, place);
    if (!session.ok) return session;
    roots.push(session.value.inputsRoot);
    heads.push(...headsOf(session.value));
    const { roster, sets } = session.value;
    const survivorCount = sets.u3.positions.length;
    const fits = totals.add(shard, roster.attempt.terms.attempt, survivorCount);
    if (!fits.ok) return fits;
    const counted = checkCount(`inputs of group ${shard}`, claims.survivorCounts[place], survivorCount);
    if (!counted.ok) return counted;
    const published = await sum.next();
    if (!published.ok) return published;
    const ofShard = chosen.filter((chunk) => Math.floor(chunk / perShard) === place);
    const indexes = ofShard.map((chunk) => chunk % perShard);
    const under = { layout, session: session.value, shard, published: published.value, indexes };
    const decoded = await checkSum(audit, under);
    if (!decoded.ok) {
      // The key has opened the boxes of an earlier group, so it is the right one.
      const isBox = decoded.error.code === "AUDITOR_KEY" && place > 0;
      return isBox ? fault("OPENING_SEAL", decoded.error.sentence) : decoded;
    }
    all.add(decoded.value);
    if (coverEvidence(layout, indexes)) remadeCount++;
  }
  report(evidenceLine(layout, claims.shards.length, remadeCount));
  const right = checkTotals(audit, totals.survivorCount, all);
  if (!right.ok) return right;
  const ended = await checkSumHash(sum, claims.sumHash);
  if (!ended.ok) return ended;
  const root = await checkInputsRoot(primitives, claims, roots);
  return root.ok ? ok({ sum: all, heads }) : root;
}

function checkTotals({ claims, report }: Audit, survivorCount: number, sum: SumOfShards): Checked<void> {
  const inputs = checkCount("inputs", claims.survivorCount, survivorCount);
  if (!inputs.ok) return inputs;
  const weights = checkCount("weight", claims.weightSum, sum.read(weight));
  if (!weights.ok) return weights;
  const { goal } = claims.task.aggregation;
  if (survivorCount < goal) report(`Note: ${survivorCount} inputs are in the sum; the task aims at ${goal}.`);
  return ok(undefined);
}

/** @param said  Null or undefined if the round's record does not say. */
function checkCount(what: string, said: number | null | undefined, made: number): Checked<void> {
  if (said === null || said === undefined || said === made) return ok(undefined);
  return fault("COUNTS", `The round claims ${said} as its ${what}; its sum has ${made}.`);
}

async function checkInputsRoot(
  primitives: Primitives,
  { inputsRoot }: RoundClaims,
  roots: readonly Bytes[],
): Promise<Checked<void>> {
  const [first] = roots;
  const root = roots.length === 1 && first !== undefined ? first : await merkleRoot(primitives, roots);
  if (bytesToHex(root) === inputsRoot) return ok(undefined);
  return fault("INPUTS_ROOT", `The inputs have the root ${bytesToHex(root)}; the round shows ${inputsRoot}.`);
}

function evidenceLine(layout: VectorLayout, count: number, remadeCount: number): string {
  const names = layout.segments.filter(({ publish }) => publish === "evidence").map(({ name }) => name);
  const rest = remadeCount < count ? "; the others were not drawn" : "";
  return `Evidence that is not published (${names.join(", ")}): matches its commitment, and was recomputed in ${remadeCount} of ${count} sums${rest}.`;
}
