import { wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Position, Seat } from "#shared/kernel/places.ts";
import { release } from "#shared/kernel/release.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { CombineResult, ShardLeftOut } from "#shared/round/event.ts";
import { survivorCounts } from "#shared/round/settle-exchange.ts";
import { goesOn } from "#shared/round/shards.ts";
import type { InputFact, Unmasking } from "#shared/round/state.ts";
import { reconstructMasks } from "#shared/secagg/opening.ts";
import { memberAt } from "#shared/secagg/roster.ts";
import { deviceMeasuresFrom } from "#shared/task/measures/index.ts";
import { targetOf } from "#shared/task/target.ts";
import { type DecodedSum, decodeSum } from "#shared/vector/decode.ts";
import { metrics } from "#shared/vector/segments/metrics.ts";
import { update } from "#shared/vector/segments/update.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { needBlob } from "../models/models.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { RoundSum } from "./round-sum.ts";
import type { Session } from "./session.ts";
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

/** What all sums of a round share. */
export interface Summing {
  readonly ports: CombinePorts;
  readonly terms: RunTerms;
  readonly signal: AbortSignal;
}

/** Masked inputs to add. */
export interface Addends {
  /** Seats of other sessions are ignored. */
  readonly seats: readonly Seat[];
  readonly inputs: ReadonlyMap<Seat, InputFact>;
  /** A sum to start from, transferred. */
  readonly begun: Uint32Array<ArrayBuffer> | null;
}

/** A sum with its masks on, or the seats whose inputs are damaged. */
export type Folded = Result<Uint32Array<ArrayBuffer>, readonly Seat[]>;

/** Sums masked inputs of a session, each checked against its receipted root. */
export async function foldInputs(
  { ports, terms, signal }: Summing,
  session: Session,
  { seats, inputs: facts, begun }: Addends,
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
  return err(sum.error.indexes.map((index) => session.seatOf(positions[index] as Position)));
}

/**
 * Logs damage for the operator. Not called where damage is found, because inputs of an attempt that was given
 * up are being deleted.
 */
export function logDamaged(ports: Pick<CombinePorts, "log">, session: Session, seats: readonly Seat[]): void {
  const positions = session.positionsIn(seats);
  ports.log.error({ sid: session.sid, positions }, "stored inputs are damaged: check the disk");
}

/** The opening of a round's sums. */
export interface SumOpening extends Summing {
  readonly state: Unmasking;
  /** The run's, before this round. Null at its beginning. */
  readonly strategyStateHash: string | null;
}

/**
 * From the shares to the next model: for each shard, rebuilds the masks, takes them off the folded inputs and
 * reads the sum; then adds the sums and steps the strategy. Everything is stored under its hash before this
 * returns, and the same shares and inputs give the same result, so it can be repeated after a crash.
 * PROTOCOL.md section 9, combining.
 *
 * A shard with a bad sum or damaged input is left out if the others reach the goal; otherwise the round is
 * void (R23).
 *
 * @param sessions  Of the shards in the round.
 * @param foldOf    Result of `foldInputs`, released once the masks are off.
 */
export async function combine(
  opening: SumOpening,
  sessions: readonly Session[],
  foldOf: (session: Session) => Promise<Folded>,
): Promise<CombineResult> {
  const { ports, terms, state } = opening;
  const total = new RoundSum(terms.layout);
  const leftOut: ShardLeftOut[] = [];
  const transcripts: SessionHash[] = [];
  for (const session of sessions) {
    const opened = await openSum(opening, session, await foldOf(session));
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
  const published = await publish(opening, total, transcripts);
  return published.kind === "committed" && leftOut.length > 0 ? { ...published, leftOut } : published;
}

type BadSum = Omit<ShardLeftOut, "shard">;

/** The sum of one shard, without its masks. */
async function openSum(
  { ports, terms, signal, state }: SumOpening,
  session: Session,
  folded: Folded,
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
    // Also after a failed or cancelled fold, since the next try rebuilds them.
    for (const { key } of masks.value) key.fill(0);
  });
  assert(opened.ok, "without files nothing is damaged");
  const sum = opened.value;
  const decoded = decodeSum(layout, sum, sets.u3.positions.length);
  if (decoded.ok) return ok({ sum, decoded: decoded.value });
  return err({ code: decoded.error.type === "sentinel" ? "SENTINEL" : "RANGE", dealers: [] });
}

async function publish(
  { ports, terms, state, strategyStateHash: parentStateHash }: SumOpening,
  sum: RoundSum,
  transcripts: readonly SessionHash[],
): Promise<CombineResult> {
  const { task, strategySpec: strategy, roundParams } = terms;
  const { runId, round, parentModelHash } = state.facts;
  assert(roundParams.purpose === "train", "only the sum of a round that trains makes a model");
  // Read first, because the job transfers the vectors.
  const [weightSum, measured] = [sum.total.read(weight), sum.total.read(metrics)];
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
  // Written together, so that the disk syncs them together.
  const [modelHash, strategyStateHash, sumHash] = await Promise.all([
    ports.blobs.put(next.modelBytes),
    next.stateBytes === null ? null : ports.blobs.put(next.stateBytes),
    ports.blobs.put(sumBytes),
  ]);
  release(sumBytes, next.modelBytes, ...(next.stateBytes === null ? [] : [next.stateBytes]));
  const transcript = await publishedTranscript(ports, terms, state.facts, {
    parentStateHash,
    strategyStateHash,
    modelHash,
    sumHash,
    transcripts,
  });
  return {
    kind: "committed",
    modelHash,
    strategyStateHash,
    sumHash,
    sumByteCount,
    weightSum,
    inputsRoot: bytesToHex(await sum.inputsRoot(ports.primitives)),
    metrics: { deviceMeasures: deviceMeasuresFrom(measured, targetOf(terms.task.features)), updateNormL2 },
    ...(state.shardCount > 1 ? { shards: sum.shards } : {}),
    transcript,
  };
}
