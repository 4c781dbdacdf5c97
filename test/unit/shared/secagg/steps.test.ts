import { beforeEach, describe, expect, test } from "vitest";
import { merklePath } from "#shared/crypto/merkle.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import {
  type AttemptMessage,
  acceptInvitation,
  advertiseMessage,
  isAttemptMessage,
  onMessage,
} from "#shared/secagg/client.ts";
import { abort } from "#shared/secagg/client-state.ts";
import { committedOutcome, inputsTree } from "#shared/secagg/opening.ts";
import { positionNo } from "#test/kit/places.ts";
import { lastSent } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/** The newest answer of position 1, as bytes. */
function answer(cohort: SecaggCohort, type: "share" | "confirm" | "unmask"): string {
  return String(encodeFrame(lastSent(cohort.device(1), type)));
}

describe("a device in one attempt", () => {
  let cohort: SecaggCohort;
  beforeEach(async () => {
    cohort = await SecaggCohort.create({ count: 4, vectorLength: 50, lastSteps: new Map([[4, "share"]]) });
  });

  test("[S10] sends the same bytes when it is asked again, and masks once", async () => {
    await cohort.advertiseAll();
    const { state } = cohort.device(1);
    expect(state.phase === "advertised" && advertiseMessage(state)).toEqual(
      lastSent(cohort.device(1), "advertise"),
    );

    expect(await cohort.shareAll()).toBeNull();
    const share = answer(cohort, "share");
    await cohort.deliver(1, { ...cohort.rosterMessage(), deadlineInMs: 7 });
    expect(answer(cohort, "share")).toBe(share);

    expect(await cohort.collectAll()).toBeNull();
    const body = cohort.device(1).body as Uint8Array;
    const slot = "b".repeat(43);
    const noInput = () => Promise.reject(new Error("the input is made once"));
    const { tools, state: masked } = cohort.device(1);
    const again = await onMessage({ ...tools, makeInput: noInput }, masked, {
      ...cohort.collectMessage(1),
      slot,
    });
    expect(again.type === "go" && again.state).toBe(masked);
    expect(again.type === "go" && again.remember).toBeNull();
    expect(again.type === "go" && again.send?.kind === "input" && again.send.body).toEqual(body);
    // A new slot may be assigned; the signed part stays the same.
    const first = cohort.inputHeaders.get(positionNo(1));
    expect(again.type === "go" && again.send?.kind === "input" && again.send.headers).toEqual({
      ...first,
      slot,
    });

    expect(await cohort.confirmAll()).toBeNull();
    const confirm = answer(cohort, "confirm");
    await cohort.deliver(1, cohort.setsMessage());
    expect(answer(cohort, "confirm")).toBe(confirm);

    expect(await cohort.openAll()).toBeNull();
    const unmask = answer(cohort, "unmask");
    await cohort.deliver(1, cohort.openMessage());
    expect(answer(cohort, "unmask")).toBe(unmask);
    expect(cohort.device(1).remembered.map(({ kind }) => kind)).toEqual(["mark", "use", "vote", "reveal"]);
  });

  test("[S10] a repeated message of an earlier step gets no answer; with other content it ends the attempt", async () => {
    await cohort.advertiseAll();
    await cohort.shareAll();
    await cohort.collectAll();
    await cohort.confirmAll();
    const { sent } = cohort.device(1);
    const count = sent.length;
    for (const message of [cohort.rosterMessage(), cohort.collectMessage(1)]) {
      const step = await cohort.deliver(1, message);
      expect(step).toMatchObject({ type: "go", send: null, remember: null });
    }
    expect(sent.length).toBe(count);
    const collect = cohort.collectMessage(1);
    const step = await cohort.deliver(1, { ...collect, shares: collect.shares.slice(1) });
    expect(step).toMatchObject({ type: "aborted", state: { code: "EQUIVOCATION" }, complaint: null });
  });

  test("[S5] refuses every message out of order, and stays where it is", async () => {
    const finished = await SecaggCohort.create({ count: 4, vectorLength: 50 });
    await finished.run();
    const { roster, sets, inputs } = finished;
    const tree = await inputsTree(
      finished.primitives,
      [...inputs.values()].map(({ root }) => root),
    );
    const script: AttemptMessage[] = [
      finished.rosterMessage(),
      finished.collectMessage(1),
      finished.setsMessage(),
      finished.openMessage(),
      committedOutcome(roster, sets, tree, positionNo(1), "44".repeat(32)),
    ];
    // The same seed: the very messages of this session, only too early.
    const fresh = await SecaggCohort.create({ count: 4, vectorLength: 50 });
    await fresh.advertiseAll();
    for (const [index, due] of script.entries()) {
      // From masked on, an outcome may come at any time: a device that was away hears of the end that way.
      for (const early of script.slice(index + 1).filter(({ type }) => type !== "outcome" || index < 2)) {
        const { state } = fresh.device(1);
        const step = await fresh.deliver(1, early);
        expect(step).toEqual({ type: "refused", state, code: "STATE" });
        expect(step.state).toBe(state);
      }
      expect((await fresh.deliver(1, due)).type).toBe("go");
    }
    expect(fresh.device(1).state.phase).toBe("done");
    for (const message of script) expect((await fresh.deliver(1, message)).type).toBe("refused");
  });

  test("ends at once from outside, even in the middle of a step", async () => {
    await cohort.advertiseAll();
    await cohort.shareAll();
    const { state, tools, input } = cohort.device(1);
    const withInput = { ...tools, makeInput: async () => input.slice() };
    const running = onMessage(withInput, state, cohort.collectMessage(1));
    expect(abort(state, "TIMEOUT")).toEqual({ phase: "aborted", code: "TIMEOUT" });
    expect(await running).toEqual({
      type: "aborted",
      state: { phase: "aborted", code: "TIMEOUT" },
      complaint: null,
      logFault: null,
    });
    await expect(onMessage(withInput, state, cohort.collectMessage(1))).rejects.toThrow("left");
  });

  test("[S11] a fault inside a step leaves no secret behind", async () => {
    await cohort.advertiseAll();
    await cohort.shareAll();
    const { state, tools } = cohort.device(1);
    const wrongLength = async () => new Uint32Array(49);
    await expect(
      onMessage({ ...tools, makeInput: wrongLength }, state, cohort.collectMessage(1)),
    ).rejects.toThrow("agreed length");
    expect(
      state.phase === "shared" &&
        [...state.b.reveal(), ...state.ownBShare.reveal()].every((byte) => byte === 0),
    ).toBe(true);
  });

  test("[S2] [S8] away since its upload, it accepts only a place that some survivors of its U2 leave it", async () => {
    // Four in U2, q = 3; the device is position 2: one may come before it, two after it.
    for (const [survivorCount, leafIndex, isCredible] of [
      [2, 0, false],
      [3, 0, true],
      [3, 1, true],
      [3, 2, false],
      [4, 0, false],
      [4, 1, true],
      [5, 1, false],
    ] as const) {
      const away = await SecaggCohort.create({ count: 4, vectorLength: 8 });
      await away.advertiseAll();
      await away.shareAll();
      await away.deliver(2, away.collectMessage(2));
      const { state } = away.device(2);
      if (state.phase !== "masked") throw new Error("masked");
      const roots = Array.from({ length: survivorCount }, (_, index) =>
        index === leafIndex ? state.inputRoot : new Uint8Array(32),
      );
      const tree = await inputsTree(away.primitives, roots);
      const [inputsRoot, path] = [tree.root, merklePath(tree, leafIndex)];
      const result = {
        kind: "committed",
        survivorCount,
        modelHash: "44".repeat(32),
        inputsRoot,
        path,
        leafIndex,
      };
      const step = await away.deliver(2, { type: "outcome", sid: away.roster.sidHex, result } as never);
      expect({ survivorCount, leafIndex, type: step.type }).toEqual({
        survivorCount,
        leafIndex,
        type: isCredible ? "go" : "aborted",
      });
    }
  });

  test("[S2] believes a committed outcome only with its own input in it", async () => {
    await cohort.advertiseAll();
    await cohort.shareAll();
    await cohort.collectAll();
    await cohort.confirmAll();
    const roots = [1, 2, 3].map(
      (position) => cohort.inputs.get(positionNo(position))?.root as Uint8Array<ArrayBuffer>,
    );
    const tree = await inputsTree(cohort.primitives, roots);
    const honest = committedOutcome(cohort.roster, cohort.sets, tree, positionNo(1), "44".repeat(32));
    const without = await inputsTree(cohort.primitives, [
      roots[1],
      roots[1],
      roots[2],
    ] as Uint8Array<ArrayBuffer>[]);
    const lie = committedOutcome(cohort.roster, cohort.sets, without, positionNo(1), "44".repeat(32));
    expect(await cohort.deliver(1, honest)).toMatchObject({ type: "go", state: { phase: "done" } });
    expect(await cohort.deliver(2, { ...honest })).toMatchObject({
      type: "aborted",
      state: { code: "EQUIVOCATION" },
    });
    expect(await cohort.deliver(3, lie)).toMatchObject({ type: "aborted", state: { code: "EQUIVOCATION" } });
    // In the tree, but in another survivor's place.
    const swapped = await inputsTree(cohort.primitives, [roots[0], roots[2], roots[1]] as Bytes[]);
    const fourth = await SecaggCohort.create({
      count: 4,
      vectorLength: 50,
      lastSteps: new Map([[4, "share"]]),
    });
    for (const step of ["advertiseAll", "shareAll", "collectAll", "confirmAll"] as const)
      await fourth[step]();
    const moved = committedOutcome(cohort.roster, cohort.sets, swapped, positionNo(3), "44".repeat(32));
    expect(await fourth.deliver(2, moved)).toMatchObject({
      type: "aborted",
      state: { code: "EQUIVOCATION" },
    });
    const voided = {
      type: "outcome",
      sid: cohort.roster.sidHex,
      result: { kind: "voided", code: "BELOW_T" },
    } as const;
    const other = await SecaggCohort.create({ count: 4, vectorLength: 50 });
    await other.advertiseAll();
    await other.shareAll();
    await other.collectAll();
    expect(await other.deliver(1, voided)).toMatchObject({
      type: "go",
      state: { phase: "done", result: voided.result },
    });
  });

  test("[S6] accepts an invitation only if it says what its owner agreed to and what the device received", async () => {
    const { primitives, attempt } = cohort;
    const identity = cohort.device(1).signer.publicKey;
    const { config, roundParams, modelHash, ...ids } = attempt.terms;
    const invite = {
      type: "invite",
      ...ids,
      config,
      roundParams,
      modelHash,
      modelByteCount: 1,
      deadlineInMs: 1,
    } as never;
    const taken = await acceptInvitation(primitives, invite, config, modelHash, identity);
    expect(taken).toEqual({ ok: true, value: { phase: "idle", terms: attempt.terms } });
    const other = { ...config, cohortSizeMin: config.cohortSizeMin + 1 };
    expect(await acceptInvitation(primitives, invite, other, modelHash, identity)).toEqual({
      ok: false,
      error: "CONFIG",
    });
    expect(await acceptInvitation(primitives, invite, config, "55".repeat(32), identity)).toEqual({
      ok: false,
      error: "CONFIG",
    });
  });
});

test("the attempt's messages are distinguished from the others", () => {
  expect(isAttemptMessage({ type: "run-ended" } as never)).toBe(false);
  expect(isAttemptMessage({ type: "outcome" } as never)).toBe(true);
});
