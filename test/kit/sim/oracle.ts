import { openSealed } from "#shared/crypto/sealed-box.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, hexToBytes } from "#shared/kernel/bytes.ts";
import { decodeFrame } from "#shared/protocol/frame.ts";
import { deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { byShard, keptShards } from "#shared/round/shards.ts";
import type { Committed } from "#shared/round/state.ts";
import { transcriptDigest } from "#shared/transcript/session-transcript.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { coordinatesOf, segmentOf } from "#test/kit/vectors.ts";
import type { Host } from "./host.ts";
import type { SessionFacts, Watch } from "./watch.ts";
import type { World } from "./world.ts";

/*
 * Checks a world that has come to rest: each committed sum against the vectors that its survivors kept, added here in
 * exact integers, and what the coordinator still holds.
 */

export function checkSums(world: World, watch: Watch, host: Host): void {
  for (const state of watch.rounds.values()) {
    if (state.phase !== "committed") continue;
    const expected: number[] = [];
    for (const [sid, session] of sessionsOf(watch, state)) {
      const own = (session.u3 ?? []).map((position) =>
        watch.ownVectors.get(`${session.identities[position - 1]} ${sid}`),
      );
      if (own.some((bytes) => bytes === undefined)) {
        world.violated("S2", `a survivor of ${sid.slice(0, 8)} has no record of its input`);
        return;
      }
      expected.push(...publishedSum(world, own as Uint8Array[]));
    }
    checkPublication(world, state);
    const published = host.disk.blobs.get(state.publication.sumHash);
    const words = published === undefined ? [] : new Int32Array(published.slice().buffer);
    if (expected.join(" ") !== words.join(" "))
      world.violated(
        "S2",
        `the sum of round ${state.facts.round} is ${words.join(" ")}, not ${expected.join(" ")}`,
      );
  }
}

/** Two signed numbers in each word, low + 2^16 high; a negative low number reduces the high one by one. */
function pairsOf(part: ArrayBuffer): Int32Array {
  const halves = new Int16Array(part);
  return Int32Array.from(halves, (half, index) => {
    const below = index % 2 === 0 ? 0 : (halves[index - 1] as number);
    return below < 0 ? half + 1 : half;
  });
}

/** The publication of several shards must name those that are in the sum, with all their survivors. */
function checkPublication(world: World, state: Committed): void {
  const due = byShard(state, state.u3).map(({ shard, seats }) => `${shard.shard}:${seats.length}`);
  const { shards } = state.publication;
  const named = shards?.map(({ shard, survivors }) => `${shard}:${survivors}`) ?? due;
  if (named.join() !== due.join() || (shards === undefined && due.length > 1))
    world.violated("R23", `shards ${named.join()} are published, ${due.join()} are in the round`);
}

/** Update, weight and sentinels, summed over all parts. */
function publishedSum(world: World, own: readonly Uint8Array[]): number[] {
  const layout = layoutOf(world.plan.task, "train", null);
  return (["update", "weight", "sentinels"] as const).flatMap((name) => {
    const { offset, length, ring } = segmentOf(layout, name);
    const parts = own.map((bytes) => bytes.slice(4 * offset, 4 * (offset + length)).buffer);
    const vectors = parts.map((part) => (ring === 16 ? pairsOf(part) : new Int32Array(part)));
    const count = name === "update" ? coordinatesOf(layout).count : length;
    return Array.from({ length: count }, (_, index) =>
      vectors.reduce((sum, vector) => sum + (vector[index] as number), 0),
    );
  });
}

/**
 * Once every run has ended, shares and inputs are gone except what is kept: of the newest committed round the inputs,
 * the transcripts that its log names, and the sealed openings.
 */
export async function checkForgotten(world: World, watch: Watch, { db, disk }: Host): Promise<void> {
  if (db.material.size > 0) world.violated("S11", `shares are kept: ${[...db.material.keys()].join(", ")}`);
  const newest = [...watch.rounds.values()].findLast((state) => state.phase === "committed");
  const kept = world.keeping === null || newest === undefined ? [] : sessionsOf(watch, newest);
  const paths = kept.flatMap(([sid, { u3 }]) => (u3 ?? []).map((position) => `${sid}/${position}`));
  expectSame(world, "inputs", disk.spool.keys(), paths);
  const sids = kept.map(([sid]) => sid);
  expectSame(world, "transcripts", db.transcripts.keys(), sids);
  expectSame(world, "openings", db.openings.keys(), sids);
  expectSame(world, "evidence", db.evidence.keys(), sids);
  if (kept.length === 0 || newest === undefined) return;
  const own = [...db.transcripts.values()].map(
    async ({ shard, bytes }) => `${shard} ${await transcriptDigest(world.primitives, bytes)}`,
  );
  const named = newest.publication.transcript?.sessions.map(({ shard, hash }) => `${shard} ${hash}`);
  expectSame(world, "transcript hashes", await Promise.all(own), named ?? []);
  for (const [index, entry] of kept.entries()) {
    const t = keptShards(newest)[index]?.thresholds.t ?? 0;
    await checkOpenings(world, entry, db.openings.get(entry[0]) ?? new Map(), t);
  }
}

/** The auditor must find openings of this session, from enough devices to open its sum. */
async function checkOpenings(
  world: World,
  [sid, { u3 }]: SessionEntry,
  openings: ReadonlyMap<number, Bytes>,
  t: number,
): Promise<void> {
  if (openings.size < t) world.violated("A5", `${openings.size} openings of ${sid.slice(0, 8)} are kept`);
  for (const [position, sealed] of openings) {
    const of = { sid: hexToBytes(sid), position };
    const opened = await openSealed(world.primitives, world.auditorKey, of, sealed);
    const message = opened.ok ? decodeFrame(opened.value, deviceMessageSchema) : opened;
    const isOne = message.ok && message.value.type === "unmask" && message.value.sid === sid;
    if (!isOne || u3?.includes(position) !== true)
      world.violated("A5", `the auditor cannot read the opening of ${position} in ${sid.slice(0, 8)}`);
  }
}

type SessionEntry = readonly [sid: string, session: SessionFacts];

/** The sessions that make up a round's sum, in the order of its shards. */
function sessionsOf(watch: Watch, state: Committed): SessionEntry[] {
  return keptShards(state).map(({ shard }) => {
    const { roundId } = state.facts;
    const found = [...watch.sessions].find(
      ([, one]) => one.roundId === roundId && one.attempt === state.attempt && one.shard === shard,
    );
    return present(found, "a session of each shard");
  });
}

function expectSame(world: World, what: string, found: Iterable<string>, expected: readonly string[]): void {
  const [is, due] = [[...found].sort().join(", "), [...expected].sort().join(", ")];
  if (is !== due) world.violated("A5", `${what} that are kept: ${is || "none"}, due: ${due || "none"}`);
}
