import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AssertionFault } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { DeviceMessage } from "#shared/protocol/messages/device.ts";
import { type AttemptMessage, onMessage } from "#shared/secagg/client.ts";
import { abort, type ClientState } from "#shared/secagg/client-state.ts";
import { type PositionSet, setOfPositions } from "#shared/secagg/position-sets.ts";
import { setsItem } from "#shared/secagg/signed-items.ts";
import { positionNo } from "#test/kit/places.ts";
import { lastSent } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/*
 * The adversary is the coordinator and every other device of the roster. It has their identity keys, so it can show t
 * valid confirmations of any two sets, as often as it wants. Its victim is position 1 of 5, t = 4.
 */

const VICTIM = 1;
const COUNT = 5;

const ALL = [1, 2, 3, 4, 5];
const anything = fc.uniqueArray(fc.integer({ min: 1, max: COUNT }), { minLength: 1, maxLength: COUNT });
/** A few sets that pass the size checks; otherwise hardly any schedule would reach its opening. */
const plausible = fc.constantFrom<number[][]>(ALL, [1, 2, 3, 4], [1, 3, 4, 5]);
const u2 = fc.oneof(
  { weight: 8, arbitrary: fc.constant<number[]>(ALL) },
  { weight: 1, arbitrary: plausible },
);
const u3 = fc.oneof({ weight: 8, arbitrary: plausible }, { weight: 1, arbitrary: anything });
/** Null: all of U3. */
const signers = fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: anything });
const move = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("roster" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("collect" as const), u2 }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("sets" as const), u2, u3 }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("open" as const), u2, u3, signers }) },
  // The sets that the victim was last shown: what an honest coordinator would ask for.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("open-shown" as const), signers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("outcome" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const) }) },
  // Someone kept an old state and uses it again.
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("rewind" as const), steps: fc.integer({ min: 1, max: 3 }) }),
  },
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;
type Asked =
  | Move
  | {
      readonly kind: "open";
      readonly u2: readonly number[];
      readonly u3: readonly number[];
      readonly signers: number[] | null;
    };

/** Every way in which a device has revealed too much in what it sent. */
function violations(sent: readonly DeviceMessage[]): string[] {
  const found: string[] = [];
  const kindByOwner = new Map<number, string>();
  const note = (owner: number, kind: string) => {
    if ((kindByOwner.get(owner) ?? kind) !== kind) found.push(`both shares of ${owner}`);
    kindByOwner.set(owner, kind);
  };
  for (const message of sent) {
    if (message.type !== "unmask") continue;
    for (const { owner } of message.bShares) note(owner, "b");
    for (const { owner } of message.zShares) note(owner, "z");
    if (message.zShares.some(({ owner }) => owner === VICTIM)) found.push("its own z");
  }
  const texts = (type: string) =>
    new Set(sent.filter((message) => message.type === type).map((message) => JSON.stringify(message)));
  for (const type of ["confirm", "unmask"]) if (texts(type).size > 1) found.push(`two ${type} messages`);
  return found;
}

/** All other devices share; the adversary then holds every bundle and decides what the victim sees. */
async function besieged(seed: string): Promise<SecaggCohort> {
  const cohort = await SecaggCohort.create({ count: COUNT, seed, vectorLength: 8 });
  await cohort.advertiseAll();
  for (const device of cohort.devices) if (device.position !== VICTIM) await cohort.share(device);
  return cohort;
}

async function play(cohort: SecaggCohort, moves: readonly Move[]): Promise<{ faults: number }> {
  const victim = cohort.device(VICTIM);
  const before: ClientState[] = [];
  let shown: readonly number[] = ALL;
  let faults = 0;
  const setOf = (positions: readonly number[]) =>
    setOfPositions(cohort.primitives, cohort.roster, positions.map(positionNo));
  for (const step of moves) {
    if (step.kind === "abort") {
      victim.state = abort(victim.state, "TIMEOUT");
      continue;
    }
    if (step.kind === "rewind") {
      victim.state = before.at(-step.steps) ?? victim.state;
      continue;
    }
    if (step.kind === "sets") shown = step.u3;
    const asked = step.kind === "open-shown" ? { ...step, kind: "open" as const, u2: ALL, u3: shown } : step;
    const message = await messageOf(cohort, asked, setOf);
    before.push(victim.state);
    try {
      await cohort.deliver(VICTIM, message);
    } catch (fault) {
      // Using an outdated state is the caller's fault; nothing is sent.
      expect(fault).toBeInstanceOf(AssertionFault);
      faults++;
    }
  }
  return { faults };
}

async function messageOf(
  cohort: SecaggCohort,
  step: Exclude<Asked, { kind: "abort" | "rewind" | "open-shown" }>,
  setOf: (positions: readonly number[]) => Promise<PositionSet>,
): Promise<AttemptMessage> {
  const { sidHex: sid, sid: sidBytes } = cohort.roster;
  const deadlineInMs = 1_000;
  switch (step.kind) {
    case "roster":
      return cohort.rosterMessage();
    case "collect":
      return cohort.collectOver(VICTIM, await setOf(step.u2));
    case "sets": {
      const [u2, u3] = [await setOf(step.u2), await setOf(step.u3)];
      return { type: "sets", sid, u2: u2.bitmap, u3: u3.bitmap, deadlineInMs };
    }
    case "open": {
      const [u2, u3] = [await setOf(step.u2), await setOf(step.u3)];
      const item = setsItem(sidBytes, u2.hash, u3.hash);
      const sign = async (signer: number) => ({
        signer: signer as Position,
        signature: await signatureOf(cohort, signer, item),
      });
      const ascending = [...(step.signers ?? step.u3)].sort((left, right) => left - right);
      const confirmations = await Promise.all(ascending.map(sign));
      return { type: "open", sid, u2: u2.bitmap, u3: u3.bitmap, confirmations, deadlineInMs };
    }
    case "outcome":
      return { type: "outcome", sid, result: { kind: "voided", code: "BELOW_T" } };
  }
}

/** The victim's signature exists only if the victim gave one. */
async function signatureOf(cohort: SecaggCohort, signer: number, item: Bytes): Promise<Bytes> {
  const device = cohort.device(signer);
  if (signer !== VICTIM) return device.signer.sign(item);
  const own = device.sent.findLast((message) => message.type === "confirm");
  return own?.type === "confirm" ? own.signature : new Uint8Array(64);
}

describe("an adversary with every key but one", () => {
  test("[S1] [S10] never gets both shares of anyone, two confirmations or two openings", async () => {
    const reached = { revealed: 0, faults: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 3, maxLength: 14 }), fc.nat(), async (moves, seed) => {
        const cohort = await besieged(`siege ${seed}`);
        const opening: Move[] = [{ kind: "roster" }, { kind: "collect", u2: ALL }];
        const { faults } = await play(cohort, [...opening, ...moves]);
        const { sent } = cohort.device(VICTIM);
        expect(violations(sent)).toEqual([]);
        if (sent.some((message) => message.type === "unmask")) reached.revealed++;
        reached.faults += faults;
      }),
      { numRuns: 60, seed: 20_260_102 },
    );
    // Some schedules must get a share out of the victim and some must reuse a state, or this would prove nothing.
    expect(reached.revealed).toBeGreaterThan(1);
    expect(reached.faults).toBeGreaterThan(1);
  });

  test("[S1] the watcher sees a planted violation (positive control)", async () => {
    const cohort = await besieged("control");
    const four = [1, 2, 3, 4];
    await play(cohort, [
      { kind: "roster" },
      { kind: "collect", u2: ALL },
      { kind: "sets", u2: ALL, u3: four },
      { kind: "open", u2: ALL, u3: four, signers: null },
    ]);
    const victim = cohort.device(VICTIM);
    const given = lastSent(victim, "unmask");
    expect(violations(victim.sent)).toEqual([]);
    const swapped = { ...given, bShares: given.zShares, zShares: given.bShares };
    expect(violations([...victim.sent, swapped])).toEqual(
      expect.arrayContaining(["both shares of 5", "both shares of 1", "its own z", "two unmask messages"]),
    );
  });

  test("[S1] using one state for two steps, at once or one after the other, is a fault", async () => {
    const cohort = await besieged("twice");
    const all = await setOfPositions(cohort.primitives, cohort.roster, ALL.map(positionNo));
    const four = await setOfPositions(cohort.primitives, cohort.roster, [
      positionNo(1),
      positionNo(2),
      positionNo(3),
      positionNo(4),
    ]);
    await cohort.deliver(VICTIM, cohort.rosterMessage());
    await cohort.deliver(VICTIM, cohort.collectOver(VICTIM, all));
    const { state, tools } = cohort.device(VICTIM);
    const ask = (u3: PositionSet) => {
      const message = {
        type: "sets",
        sid: cohort.roster.sidHex,
        u2: all.bitmap,
        u3: u3.bitmap,
        deadlineInMs: 0,
      } as const;
      return onMessage(
        { ...tools, makeInput: () => Promise.reject(new Error("no second input")) },
        state,
        message,
      );
    };
    const both = await Promise.allSettled([ask(all), ask(four)]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await expect(ask(four)).rejects.toThrow("a state that has been left");
  });
});
