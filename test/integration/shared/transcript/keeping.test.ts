import { describe, expect, test } from "vitest";
import { sweepTranscripts } from "#coordinator/core/rounds/transcript.ts";
import { bytesToWords } from "#shared/codec/vector-bytes.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { openSealed } from "#shared/crypto/sealed-box.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import { decodeFrame } from "#shared/protocol/frame.ts";
import { unmaskSchema } from "#shared/protocol/messages/device.ts";
import { ringGraph } from "#shared/secagg/graph.ts";
import { checkSession } from "#shared/transcript/check-session.ts";
import type { AuditSource, RoundClaims, RoundsBefore } from "#shared/transcript/claims.ts";
import { openSession } from "#shared/transcript/open-session.ts";
import { roundTranscriptHash } from "#shared/transcript/round-transcript.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memorySpool } from "#test/kit/fakes/memory-files.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { positionNo } from "#test/kit/places.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { Federation, type FederationOptions, type WriteHook } from "#test/kit/worlds/federation.ts";
import { claimsOf, keptRound, lied, sourceOf, verdictOf, verdictOn } from "#test/kit/worlds/kept-round.ts";

const auditorKey = seededRandom("auditor")(32);
const primitives = await selectPrimitives(globalThis.crypto.subtle);
const keeping = { rounds: 1, auditorKey: await primitives.x25519PublicKey(auditorKey) };

async function ran(rounds: number, options: Partial<FederationOptions> = {}) {
  const federation = await Federation.create({ devices: 5, keeping, ...options });
  federation.connectAll();
  const runId = await federation.launch(rounds);
  await federation.ended(runId);
  await federation.inFlight.settle();
  return { federation, details: await federation.rounds(runId) };
}

describe("[A5] [A8] what outlives a round", () => {
  test("is nothing unless the coordinator was told to keep it; the hash is there all the same", async () => {
    const { federation, details } = await ran(1, { keeping: null });
    const { db, disk } = federation;
    expect([db.transcripts.size, db.openings.size, db.material.size, disk.spool.size]).toEqual([0, 0, 0, 0]);
    expect(db.evidence.size).toBe(0);
    expect(details[0]?.transcript?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is of the newest rounds only", async () => {
    const { federation, details } = await ran(3, { keeping: { ...keeping, rounds: 2 } });
    const { db, disk } = federation;
    const kept = [...db.transcripts.values()].map(({ roundId }) => roundId);
    expect(kept).toEqual(details.slice(1).map(({ roundId }) => roundId));
    const sids = [...db.transcripts.keys()];
    expect([...db.openings.keys()]).toEqual(sids);
    expect([...db.evidence.keys()]).toEqual(sids);
    expect([...db.evidence.values()].every(({ sealed }) => sealed !== null)).toBe(true);
    expect(db.material.size).toBe(0);
    expect(new Set([...disk.spool.keys()].map((path) => path.split("/")[0]))).toEqual(new Set(sids));
    // What went is in the audit log, by its number alone (A80).
    const deletions = () => db.leaves.filter(({ kind }) => kind === "deletion.performed");
    const { slug } = federation.task;
    expect(deletions().map(({ body }) => body)).toEqual([
      { version: 1, what: "transcripts", count: 1, slug },
    ]);
    // A coordinator that is told to keep less deletes the others when it starts.
    federation.keeping = null;
    await federation.restart();
    expect([db.transcripts.size, db.openings.size, disk.spool.size]).toEqual([0, 0, 0]);
    expect(db.evidence.size).toBe(0);
    expect(deletions().at(-1)?.body).toEqual({ version: 1, what: "transcripts", count: 2, slug });
    const { items = [] } = (await federation.coordinator.tasks.taskHistory(slug)) ?? {};
    expect(items.map(({ type }) => type)).not.toContain("transcripts-deleted");
  });

  test("stays while the next round combines, even if the coordinator dies just then", async () => {
    const federation = await Federation.create({ devices: 4, keeping });
    federation.connectAll();
    const runId = await federation.launch(2);
    let saved = 0;
    federation.hook = (name) => (name === "saveTranscript" && ++saved === 2 ? "die-after" : "go");
    await federation.until(async () => !federation.running, "its death");
    const [first] = [...federation.db.transcripts.values()];
    const roundIds = () => [...federation.db.transcripts.values()].map(({ roundId }) => roundId);
    expect(roundIds()).toEqual([first?.roundId, expect.not.stringMatching(first?.roundId ?? "")]);
    // The sweep at the start runs before the round is read back; it must not treat the second one as committed.
    await sweepTranscripts({
      store: memoryStore(federation.db),
      spool: memorySpool(federation.disk, primitives),
      keeping,
      wall: federation.ports.wall,
      projectId: "default",
    });
    expect(roundIds()[0]).toBe(first?.roundId);
    expect(federation.db.openings.get(first?.sid ?? "")?.size).toBeGreaterThan(0);
    federation.hook = () => "go";
    await federation.restart();
    await federation.ended(runId);
    await federation.inFlight.settle();
    const second = present((await federation.rounds(runId))[1], "a second round");
    expect(roundIds()).toEqual([second.roundId]);
  });

  test("[R19] a start that keeps nothing leaves the inputs of a round that was being combined", async () => {
    const federation = await Federation.create({ devices: 4, keeping });
    federation.connectAll();
    const runId = await federation.launch(1);
    federation.hook = (name) => (name === "saveTranscript" ? "die-after" : "go");
    await federation.until(async () => !federation.running, "its death");
    federation.hook = () => "go";
    federation.keeping = null;
    await federation.restart();
    const run = await federation.ended(runId);
    expect(run).toMatchObject({ state: "completed", roundsCommitted: 1 });
    expect((await federation.rounds(runId)).map(({ phase, survivors }) => [phase, survivors])).toEqual([
      ["committed", 4],
    ]);
    await federation.inFlight.settle();
    expect([federation.db.transcripts.size, federation.disk.spool.size]).toEqual([0, 0]);
  });

  test("is deleted without a round that waits for it", async () => {
    const db = memoryDatabase();
    const store = { ...memoryStore(db), deleteTranscript: () => new Promise<void>(() => {}) };
    const federation = await Federation.create({ devices: 4, keeping, ports: { store } });
    federation.inFlight.ignored.add("deleteTranscript");
    federation.connectAll();
    const run = await federation.ended(await federation.launch(3));
    expect(run).toMatchObject({ state: "completed", roundsCommitted: 3 });
    // The second round's end began a deletion, which never ends.
    expect(db.transcripts.size).toBe(3);
  });

  test("is deleted after a run's last round, too, however often that fails", async () => {
    const federation = await Federation.create({ devices: 4, keeping });
    federation.connectAll();
    const runId = await federation.launch(2);
    let tries = 0;
    federation.away = (name) =>
      name === "deleteTranscript" && ++tries <= 3 ? new Error("another program holds the file") : null;
    await federation.ended(runId);
    await federation.until(() => federation.db.transcripts.size === 1, "the deletion");
    expect(tries).toBe(4);
    const [, second] = await federation.rounds(runId);
    expect([...federation.db.transcripts.values()][0]?.roundId).toBe(second?.roundId);
  });

  test("has opening shares for the auditor's key only, and none in the clear", async () => {
    const { federation } = await ran(1);
    const { openings, transcripts } = federation.db;
    const [[sid, sealed]] = [...openings] as [[string, ReadonlyMap<Position, Uint8Array<ArrayBuffer>>]];
    expect(sealed.size).toBeGreaterThanOrEqual(4);
    const stored = Buffer.concat([
      ...sealed.values(),
      ...[...transcripts.values()].map(({ bytes }) => bytes),
    ]);
    for (const [position, box] of sealed) {
      const of = { sid: hexToBytes(sid), position };
      expect((await openSealed(primitives, seededRandom("other")(32), of, box)).ok).toBe(false);
      const opened = await openSealed(primitives, auditorKey, of, box);
      assert(opened.ok, "the auditor's own box");
      const message = decodeFrame(opened.value, unmaskSchema);
      assert(message.ok, "an opening message");
      expect(message.value.bShares.length).toBe(5);
      for (const { share } of message.value.bShares) expect(stored.includes(Buffer.from(share))).toBe(false);
    }
  });

  test("is complete after a kill at any write from the sum on, and verifies", async () => {
    const names: string[] = [];
    const round = async (hook: WriteHook) => {
      const federation = await Federation.create({ devices: 4, keeping });
      federation.hook = hook;
      federation.connectAll();
      const runId = await federation.launch(1);
      await federation.until(async () => {
        if (!federation.running) await federation.restart();
        return federation.running && (await federation.run(runId)).state === "completed";
      }, "the run's end");
      await federation.inFlight.settle();
      const detail = present((await federation.rounds(runId))[0], "a round");
      expect(federation.db.material.size).toBe(0);
      return keptRound(federation, detail);
    };
    let from = -1;
    await round((name) => {
      if (name === "saveEvidence") from = names.length;
      names.push(name);
      return "go";
    });
    expect(names.slice(from)).toEqual(
      expect.arrayContaining(["saveTranscript", "append", "sealEvidence", "keepOpenings"]),
    );
    for (let at = from; at < names.length; at++) {
      for (const fault of ["die-before", "die-after"] as const) {
        let seen = 0;
        const kept = await round(() => (seen++ === at ? fault : "go"));
        const { verdict } = await verdictOn(primitives, kept, auditorKey);
        expect([fault, names[at], verdict]).toEqual([fault, names[at], "holds"]);
      }
    }
  });
});

test("[A3] the auditor's masks do not open a single input, but do open the sum of all", async () => {
  const { federation, details } = await ran(1);
  const detail = present(details[0], "a round");
  const kept = await keptRound(federation, detail);
  const session = await checkSession(primitives, kept.transcript, kept.claims);
  assert(session.ok, "an honest session");
  const opened = await openSession(primitives, session.value, auditorKey, kept.openings);
  assert(opened.ok, "the auditor's key");
  const sum = new Uint32Array(bytesToWords(present(kept.inputs.get(positionNo(1)), "an input")).length);
  for (const input of kept.inputs.values())
    for (const [index, word] of bytesToWords(input).entries()) sum[index] = (sum[index] as number) + word;
  await addMasks(primitives, sum, opened.value.masks);
  const plain = federation.devices.map(({ parts }) => present(parts[0], "a part").words);
  const total = (index: number) => plain.reduce((all, words) => (all + (words[index] as number)) >>> 0, 0);
  expect([...sum]).toEqual([...sum.keys()].map(total));
  // Whatever set of the rebuilt masks is tried on one input, the masks that it shares with other survivors remain.
  const { masks } = opened.value;
  for (let tried = 0; tried < 2 ** masks.length; tried++) {
    const one = bytesToWords(present(kept.inputs.get(positionNo(1)), "an input")).slice();
    await addMasks(
      primitives,
      one,
      masks.filter((_, index) => ((tried >> index) & 1) === 1),
    );
    for (const words of plain) expect([...one]).not.toEqual([...words]);
  }
});

describe("[A4] [A6] a round", () => {
  test("of several sums is checked shard by shard, and a wrong number in the last one is found", async () => {
    const graph = { kind: "shards", size: 8 } as const;
    const task = { goal: 20, overSelection: 1.5, cohortSizeMin: 3, cohortSizeMax: 40, graph };
    const { federation, details } = await ran(1, { devices: 30, seed: "shards 5", task });
    const detail = present(details[0], "a round");
    const [claims, source] = [claimsOf(federation, detail), sourceOf(federation, detail)];
    expect(claims.shards.length).toBeGreaterThan(2);
    const { verdict, lines } = await verdictOf(primitives, claims, source, auditorKey);
    expect([
      verdict,
      lines.filter((line) => /^Shard \d+: \d+ signatures are valid/.test(line)).length,
    ]).toEqual(["holds", claims.shards.length]);
    const sum = async function* () {
      for await (const piece of source.sum()) {
        const wrong = piece.slice();
        // The last number before the weight and the four check numbers of the last shard.
        const at = wrong.length - 4 * 6;
        wrong[at] = (wrong[at] as number) ^ 1;
        yield wrong;
      }
    };
    const wrong = await verdictOf(primitives, claims, { ...source, sum }, auditorKey);
    expect(wrong.verdict).toBe("SUM");
    await expectGroupsNamed(claims, source, lines);
  });

  /** Every lie makes everything else fit: the hash over the list, and the sum of the named groups. */
  async function expectGroupsNamed(claims: RoundClaims, source: AuditSource, honest: readonly string[]) {
    const { shards, sessionHashes } = claims;
    const leftOut = [0, 1, 2, 3].filter((shard) => !shards.includes(shard)).join(", ") || "none";
    expect(honest).toContain(`${shards.length} of 4 groups are in the sum; left out: ${leftOut}.`);
    const [first, second, ...others] = [...shards.keys()];
    const twice = [0, 0, ...others];
    for (const places of [twice, [], [second, first, ...others].map((place) => place ?? 0)]) {
      const said = await verdictOf(primitives, await ofGroups(places), sourceOfGroups(places), auditorKey);
      expect([places, said.verdict]).toEqual([places, "GROUPS"]);
    }
    const beyond = shards.map((shard, place) => (place === shards.length - 1 ? 4 : shard));
    expect((await verdictOf(primitives, { ...claims, shards: beyond }, source, auditorKey)).verdict).toBe(
      "GROUPS",
    );
    // A sum without some of its groups is possible and reported as such, but this model has another.
    const dropped = [...shards.keys()].slice(0, -2);
    const without = await verdictOf(primitives, await ofGroups(dropped), sourceOfGroups(dropped), auditorKey);
    const named = [0, 1, 2, 3].filter((shard) => !shards.slice(0, -2).includes(shard)).join(", ");
    expect(without.lines).toContain(`${dropped.length} of 4 groups are in the sum; left out: ${named}.`);
    expect(
      without.lines.some((line) => /^Note: \d+ inputs are in the sum; the task aims at 20/.test(line)),
    ).toBe(true);
    expect(without.verdict).toBe("SUM_HASH");

    async function ofGroups(places: readonly number[]): Promise<RoundClaims> {
      const changed = {
        ...claims,
        shards: places.map((place) => present(shards[place], "a group")),
        sessionHashes: places.map((place) => present(sessionHashes[place], "a hash")),
        ...{ survivorCounts: [], survivorCount: null, weightSum: null },
      };
      return { ...changed, transcriptHash: await roundTranscriptHash(primitives, changed) };
    }

    function sourceOfGroups(places: readonly number[]): AuditSource {
      const sum = async function* () {
        const pieces: Uint8Array[] = [];
        for await (const piece of source.sum()) pieces.push(piece);
        const whole = Buffer.concat(pieces);
        const length = whole.length / shards.length;
        for (const place of places) yield whole.subarray(place * length, (place + 1) * length);
      };
      return { ...source, sum };
    }
  }

  test("on the 16-bit ring is checked in its packed words", async () => {
    const { federation, details } = await ran(1, { task: { ring: 16 } });
    const kept = await keptRound(federation, present(details[0], "a round"));
    expect((await verdictOn(primitives, kept, auditorKey)).verdict).toBe("holds");
    for (const at of [0, 1, 15]) {
      const wrong = await lied(primitives, kept, {
        sum: (numbers) => {
          numbers[at] = present(numbers[at], "a number") - 1;
        },
      });
      expect((await verdictOn(primitives, wrong, auditorKey)).verdict).toBe("SUM");
    }
    // Two numbers that give the same word as the true two, and another model.
    const sameWords = await lied(primitives, kept, {
      sum: (numbers) => {
        numbers[0] = present(numbers[0], "a number") + 2 ** 16;
        numbers[1] = present(numbers[1], "a number") - 1;
      },
    });
    const { verdict, sentence } = await verdictOn(primitives, sameWords, auditorKey);
    expect([verdict, sentence]).toEqual(["SUM", expect.stringMatching(/^Number 0 of the published sum is /)]);
  });

  test("[A2] over a sparse graph needs t confirmations around each device, not t in total", async () => {
    const graph = { kind: "k-regular", corruptShare: 0.02, dropoutShare: 0.05 } as const;
    const task = { securityModel: "honest-but-curious", graph } as const;
    const { federation, details } = await ran(1, { devices: 40, seed: "sparse", task });
    const kept = await keptRound(federation, present(details[0], "a round"));
    expect((await verdictOn(primitives, kept, auditorKey)).verdict).toBe("holds");
    const { members, sid } = kept.transcript;
    const holders = ringGraph(hexToBytes(sid), members.length, 4).holders(positionNo(1));
    const silent = await lied(primitives, kept, {
      transcript: (one) => ({
        ...one,
        confirmations: one.confirmations.filter(({ signer }) => signer === 1 || !holders.includes(signer)),
      }),
    });
    const { verdict, sentence } = await verdictOn(primitives, silent, auditorKey);
    expect([verdict, sentence]).toEqual([
      "TOO_FEW_CONFIRMATIONS",
      expect.stringMatching(/^Fewer than 2 holders of position 1 .*; \d\d devices did in all\.$/),
    ]);
  });

  test("after a void one started from a void step of the run's own model, and of no other seed's", async () => {
    const federation = await Federation.create({ devices: 4, keeping });
    for (const device of federation.devices.slice(0, 2)) device.goneBefore = "unmask";
    federation.connectAll();
    const runId = await federation.launch(1);
    const isVoid = async () => (await federation.rounds(runId))[0]?.phase === "voided";
    await federation.until(isVoid, "the void round");
    for (const device of federation.devices) device.goneBefore = null;
    federation.connectAll();
    await federation.ended(runId);
    await federation.inFlight.settle();
    const [voided, committed] = await federation.rounds(runId);
    const detail = present(committed, "a round");
    const source = sourceOf(federation, detail);
    const { parentModelHash } = present(voided, "a void round");
    const of = async (before: RoundsBefore) =>
      verdictOf(primitives, claimsOf(federation, detail, before), source, auditorKey);
    const since = [{ round: 1, phase: "voided", parentModelHash }] as const;
    const { verdict, lines } = await of({ kind: "beginning", seed: 7, since });
    expect(verdict).toBe("holds");
    expect(lines.join("\n")).toContain(
      "the round trained the model of the run's beginning, void steps since: 1.",
    );
    expect((await of({ kind: "beginning", seed: 8, since })).verdict).toBe("PARENT");
    expect((await of({ kind: "beginning", seed: 7, since: [] })).verdict).toBe("PARENT");
  });
});
