import { wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { CombineResult, ShardLeftOut } from "#shared/round/event.ts";
import { survivorCounts } from "#shared/round/settle-exchange.ts";
import { goesOn } from "#shared/round/shards.ts";
import type { InputFact, Unmasking } from "#shared/round/state.ts";
import { reconstructMasks } from "#shared/secagg/opening.ts";
import { memberAt } from "#shared/secagg/roster.ts";
import { shareMeasure } from "#shared/stats/intervals.ts";
import { type DecodedSum, decodeSum } from "#shared/vector/decode.ts";
import { metrics } from "#shared/vector/segments/metrics.ts";
import { update } from "#shared/vector/segments/update.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { needBlob } from "./models.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { RoundSum } from "./round-sum.ts";
import type { Session } from "./session.ts";
import type { RunTerms } from "./terms.ts";
import { keepTranscript, publishedTranscript, type SessionHash } from "./transcript.ts";

export type CombinePorts = Pick<
  CoordinatorPorts,
  | "primitives"
  | "models"
  | "folder"
  | "spool"
  | "blobs"
  | "store"
  | "metrics"
  | "clock"
  | "keeping"
  | "log"
  | "random"
>;

/** A sum with its masks on, or the seats whose inputs are not what was receipted. */
export type Folded = Result<Uint32Array<ArrayBuffer>, readonly number[]>;

/**
 * The sum of masked inputs of a session, each checked against the root that its receipt is of.
 *
 * @param seats  Of this session or not; the others are left alone.
 * @param begun  A sum to start from; handed over.
 */
export async function foldInputs(
  ports: CombinePorts,
  terms: RunTerms,
  session: Session,
  seats: readonly number[],
  facts: ReadonlyMap<number, InputFact>,
  begun: Uint32Array<ArrayBuffer> | null,
  signal: AbortSignal,
): Promise<Folded> {
  const beganMs = ports.clock.nowMs();
  const positions = session.positionsIn(seats);
  const inputs = positions.map((position) => {
    const { root } = present(facts.get(session.seatOf(position)), "an input of each seat");
    return { path: ports.spool.path(session.sid, position), root };
  });
  const { length } = terms.layout;
  const job = { length, inputs, masks: [], ...(begun === null ? {} : { initial: begun }) };
  const sum = await ports.folder.fold(job, signal);
  ports.metrics.folded(4 * terms.layout.length * inputs.length, (ports.clock.nowMs() - beganMs) / 1_000);
  if (sum.ok) return sum;
  return err(sum.error.indexes.map((index) => session.seatOf(positions[index] as number)));
}

/** For the operator. Not where they are found: of an attempt that was given up the inputs are being deleted. */
export function logDamaged(ports: CombinePorts, session: Session, seats: readonly number[]): void {
  const positions = session.positionsIn(seats);
  ports.log.error({ sid: session.sid, positions }, "stored inputs are damaged: look at the disk");
}

/**
 * From the shares to the next model: for each shard rebuild the masks, take them off the folded inputs and read the sum;
 * add the sums, step the strategy. Everything is stored under its hash before the result is returned, and the
 * same shares and inputs give the same result, so it can be done again after a crash. PROTOCOL.md section 9, combining.
 *
 * A shard with a bad sum or a damaged input is left out where the others reach the goal, else the round is void (R23).
 *
 * @param sessions           Of the shards that are in the round.
 * @param strategyStateHash  Of the run, before this round; null at its beginning.
 * @param foldOf             What `foldInputs` gave; released where the masks come off.
 */
export async function combine(
  ports: CombinePorts,
  terms: RunTerms,
  sessions: readonly Session[],
  state: Unmasking,
  strategyStateHash: string | null,
  foldOf: (session: Session) => Promise<Folded>,
  signal: AbortSignal,
): Promise<CombineResult> {
  const total = new RoundSum(terms.layout);
  const leftOut: ShardLeftOut[] = [];
  const transcripts: SessionHash[] = [];
  for (const session of sessions) {
    const opened = await openSum(ports, terms, session, state, await foldOf(session), signal);
    if (!opened.ok) leftOut.push({ shard: session.shard, ...opened.error });
    else {
      const { root } = await session.survivorsTree(state);
      total.add(session.shard, opened.value.decoded, root);
      transcripts.push(await keepTranscript(ports, terms, state, session, opened.value.sum));
    }
  }
  const codes = new Map(leftOut.map(({ shard, code }) => [shard, code]));
  const [first] = leftOut;
  if (first !== undefined && !goesOn(state, codes, survivorCounts(state))) {
    return { kind: "voided", code: first.code, dealers: leftOut.flatMap(({ dealers }) => dealers) };
  }
  const published = await publish(ports, terms, state, strategyStateHash, total, transcripts);
  return published.kind === "committed" && leftOut.length > 0 ? { ...published, leftOut } : published;
}

type BadSum = Omit<ShardLeftOut, "shard">;

/** The sum of one shard, its masks taken off. */
async function openSum(
  ports: CombinePorts,
  terms: RunTerms,
  session: Session,
  state: Unmasking,
  folded: Folded,
  signal: AbortSignal,
): Promise<Result<{ readonly sum: Uint32Array<ArrayBuffer>; readonly decoded: DecodedSum }, BadSum>> {
  if (!folded.ok) {
    logDamaged(ports, session, folded.error);
    return err({ code: "INPUT_DAMAGED", dealers: [] });
  }
  const holders = session.positionsIn([...state.responses.keys()]);
  const [sets, openings] = [await session.sets(state), await session.openings(state, holders)];
  const masks = await reconstructMasks(ports.primitives, session.roster, sets, openings);
  if (!masks.ok) {
    const dealers = masks.error.code === "BELOW_T" ? [] : masks.error.dealers;
    const identities = dealers.map((position) => bytesToHex(memberAt(session.roster, position).identity));
    return err({ code: masks.error.code, dealers: identities });
  }
  const { layout } = terms;
  const job = { length: layout.length, inputs: [], initial: folded.value, masks: masks.value };
  const opened = await ports.folder.fold(job, signal).finally(() => {
    // Also of a fold that failed or was given up: the next try rebuilds them.
    for (const { key } of masks.value) key.fill(0);
  });
  assert(opened.ok, "without files nothing is damaged");
  const sum = opened.value;
  const decoded = decodeSum(layout, sum, sets.u3.positions.length);
  if (decoded.ok) return ok({ sum, decoded: decoded.value });
  return err({ code: decoded.error.type === "sentinel" ? "SENTINEL" : "RANGE", dealers: [] });
}

async function publish(
  ports: CombinePorts,
  terms: RunTerms,
  state: Unmasking,
  parentStateHash: string | null,
  sum: RoundSum,
  transcripts: readonly SessionHash[],
): Promise<CombineResult> {
  const { task, strategySpec: strategy, roundParams } = terms;
  const { runId, round, parentModelHash } = state.facts;
  // Read before the job: its vectors are handed over.
  const [weightSum, { before, after }] = [sum.total.read(weight), sum.total.read(metrics)];
  const modelBytes = await needBlob(ports, parentModelHash);
  const stateBytes = parentStateHash === null ? null : await needBlob(ports, parentStateHash);
  const sums = { runId, round, coordinateSum: sum.total.read(update), weightSum };
  const next = await ports.models.make({
    kind: "next",
    task,
    strategy,
    roundParams,
    stateBytes,
    modelBytes,
    ...sums,
  });
  if (next.modelBytes === null) return { kind: "voided", code: "RANGE", dealers: [] };

  const { updateNormL2 } = next;
  const sumBytes = wordsToBytes(sum.publishedWords());
  const sumByteCount = sumBytes.length;
  // The disk syncs them together.
  const [modelHash, strategyStateHash, sumHash] = await Promise.all([
    ports.blobs.put(next.modelBytes),
    next.stateBytes === null ? null : ports.blobs.put(next.stateBytes),
    ports.blobs.put(sumBytes),
  ]);
  release(sumBytes, next.modelBytes, ...(next.stateBytes === null ? [] : [next.stateBytes]));
  const transcript = await publishedTranscript(ports, terms, state.facts, {
    ...{ parentStateHash, strategyStateHash, modelHash, sumHash, transcripts },
  });
  return {
    kind: "committed",
    modelHash,
    strategyStateHash,
    sumHash,
    sumByteCount,
    weightSum,
    inputsRoot: bytesToHex(await sum.inputsRoot(ports.primitives)),
    metrics: {
      deviceAccuracyBefore: shareMeasure(before.correct, before.count),
      deviceAccuracyAfter: shareMeasure(after.correct, after.count),
      updateNormL2,
    },
    ...(state.shardCount > 1 ? { shards: sum.shards } : {}),
    transcript,
  };
}
