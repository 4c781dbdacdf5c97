import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* What the operator is told about a run that makes no progress, and that it goes on by itself. */

const DEVICES = 4;

/** Two rounds; `at` is called after the first one has committed and before the second opens. */
async function betweenRounds(at: (federation: Federation, modelHash: string) => void) {
  const federation = await Federation.create({ devices: DEVICES });
  let done = false;
  federation.hook = (name) => {
    const [run] = federation.db.runs.values();
    const view = run?.view as { roundsCommitted: number; modelHash: string } | undefined;
    if (!done && name === "append" && view?.roundsCommitted === 1) {
      done = true;
      at(federation, view.modelHash);
    }
    return "go";
  };
  federation.connectAll();
  const runId = await federation.launch(3);
  await federation.until(() => done, "the first committed round");
  return { federation, runId };
}

/** All are invited, and one leaves before its input. */
async function collecting(rounds: number, devices = DEVICES) {
  const federation = await Federation.create({ devices });
  present(federation.devices[0], "a device").goneBefore = "input";
  federation.connectAll();
  const runId = await federation.launch(rounds);
  const phase = async () => (await federation.run(runId)).currentRound?.phase;
  await federation.until(async () => (await phase()) === "collecting", "collecting");
  return { federation, runId };
}

async function minutes(federation: Federation, count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    federation.clock.advance(60_000);
    await federation.inFlight.settle();
  }
}

describe("[R43] a model's file that a run needs", () => {
  test.each([
    ["gone", "is gone"],
    ["damaged", "is damaged"],
  ] as const)("is %s: the run waits for it, says so, and goes on when it is restored", async (how, words) => {
    let lost: { readonly hash: string; readonly bytes: Uint8Array<ArrayBuffer> } | null = null;
    const { federation, runId } = await betweenRounds(({ disk, damaged }, hash) => {
      const bytes = present(disk.blobs.get(hash), "the model");
      lost = { hash, bytes };
      if (how === "gone") disk.blobs.delete(hash);
      else damaged.add(hash);
    });
    // Forces a read of the file, which would otherwise still be known from the commit.
    await federation.restart();
    await minutes(federation, 30);
    const { hash, bytes } = present<{ hash: string; bytes: Uint8Array<ArrayBuffer> }>(lost, "the file");
    const waiting = await federation.run(runId);
    expect(waiting.endedAt).toBeNull();
    expect(waiting.notice?.code).toBe("FILE_LOST");
    expect(waiting.notice?.message).toContain(`The stored file ${hash} ${words}`);
    expect(waiting.notice?.message).toContain(`as blobs/${hash.slice(0, 2)}/${hash}`);
    federation.disk.blobs.set(hash, bytes);
    federation.damaged.delete(hash);
    const run = await federation.ended(runId);
    expect(run).toMatchObject({ state: "completed", roundsCommitted: 3 });
    expect(run.notice ?? null).toBeNull();
  });

  test("is damaged before it is evaluated: a run whose rounds are over waits for it and says so", async () => {
    const federation = await Federation.create({ devices: DEVICES });
    let restored = false;
    federation.hook = () => {
      const [round] = federation.db.rounds.values();
      const view = (round?.view as { view: { phase: string; modelHash: string } } | undefined)?.view;
      if (view?.phase === "committed" && !restored) federation.damaged.add(view.modelHash);
      return "go";
    };
    federation.connectAll();
    const runId = await federation.launch(1);
    await minutes(federation, 10);
    const waiting = await federation.run(runId);
    expect([waiting.state, waiting.endedAt, waiting.notice?.code]).toEqual(["evaluating", null, "FILE_LOST"]);
    expect(waiting.notice?.message).toContain(`The stored file ${waiting.modelHash} is damaged`);
    restored = true;
    federation.damaged.clear();
    const run = await federation.ended(runId);
    expect([run.state, run.notice ?? null, run.history.map(({ round }) => round)]).toEqual([
      "completed",
      null,
      [0, 1],
    ]);
  });

  test("is missing: meanwhile the run can be stopped", async () => {
    const { federation, runId } = await betweenRounds(({ disk }, hash) => disk.blobs.delete(hash));
    await federation.restart();
    await minutes(federation, 5);
    expect((await federation.run(runId)).notice?.code).toBe("FILE_LOST");
    expect((await federation.coordinator.runs.stopRun(runId, "ada")).ok).toBe(true);
    await federation.inFlight.settle();
    expect(await federation.run(runId)).toMatchObject({ state: "failed", code: "ABORTED_BY_OPERATOR" });
  });

  test("is missing while its sum is opened: the sum waits for it, and is discarded if the run is stopped", async () => {
    const federation = await Federation.create({ devices: DEVICES });
    federation.connectAll();
    const lost = new Map<string, Uint8Array<ArrayBuffer>>();
    federation.hook = (name) => {
      const [round] = federation.db.rounds.values();
      const view = (round?.view as { view: { phase: string; parentModelHash: string } } | undefined)?.view;
      if (name === "append" && view?.phase === "unmasking" && lost.size === 0) {
        lost.set(view.parentModelHash, present(federation.disk.blobs.get(view.parentModelHash), "the model"));
        federation.disk.blobs.delete(view.parentModelHash);
      }
      return "go";
    };
    const runId = await federation.launch(2);
    await minutes(federation, 10);
    const waiting = await federation.run(runId);
    expect([waiting.currentRound?.phase, waiting.notice?.code]).toEqual(["unmasking", "FILE_LOST"]);
    expect((await federation.coordinator.runs.stopRun(runId, "ada")).ok).toBe(true);
    expect(await federation.ended(runId)).toMatchObject({ state: "failed", code: "ABORTED_BY_OPERATOR" });
    expect((await federation.rounds(runId))[0]).toMatchObject({ phase: "voided", code: "FILE_LOST" });
    await federation.inFlight.settle();
    expect([federation.db.material.size, federation.disk.spool.size]).toEqual([0, 0]);
  });
});

describe("[R43] an outage", () => {
  test("is shown on the run while it lasts", async () => {
    const { federation, runId } = await betweenRounds(() => {});
    federation.away = (name) =>
      name === "append" ? Object.assign(new Error("disk full"), { code: "ENOSPC" }) : null;
    await minutes(federation, 3);
    expect((await federation.run(runId)).notice).toMatchObject({ code: "STORAGE_FULL" });
    expect((await federation.run(runId)).notice?.message).toMatch(/disk.* is full, or .* quota\. Make room/);
    federation.away = () => null;
    const run = await federation.ended(runId);
    expect([run.state, run.notice ?? null]).toEqual(["completed", null]);
  });
});

describe("[S10] a data folder restored from an older copy", () => {
  test("is reported as the reason why devices refuse, and the run goes on once they take part again", async () => {
    const { federation, runId } = await collecting(3);
    const { coordinator } = federation;
    const notices = new Set<string | undefined>();
    for (const { identity } of federation.devices.slice(1)) {
      notices.add((await federation.run(runId)).notice?.code);
      await coordinator.devices.onDeviceMessage(identity, { type: "leave", code: "REPLAY" });
      // Like a device that waits for the next round.
      await coordinator.devices.onDeviceMessage(identity, { type: "check-in", taskVersion: 1 });
    }
    expect([...notices]).toEqual([undefined]);
    const { notice } = await federation.run(runId);
    expect(notice?.code).toBe("REPLAY");
    expect(notice?.message).toMatch(
      /^3 of the 4 devices invited to round 1 say that they have been past it .*restored from an older copy/,
    );
    present(federation.devices[0], "a device").goneBefore = null;
    federation.connectAll();
    const run = await federation.ended(runId);
    expect([run.roundsCommitted, run.notice ?? null]).toEqual([3, null]);
  });

  test.each(["REPLAY", "ALREADY_REVEALED"] as const)(
    "whose devices go on refusing (%s): the run ends with what they say",
    async (code) => {
      const federation = await Federation.create({ devices: DEVICES });
      for (const device of federation.devices) {
        const { identity, receive } = device;
        const answer = (message: Parameters<typeof federation.coordinator.devices.onDeviceMessage>[1]) =>
          federation.coordinator.devices.onDeviceMessage(identity, message);
        const refuse = () =>
          answer({ type: "leave", code }).then(() => answer({ type: "check-in", taskVersion: 1 }));
        device.receive = (message) => {
          if (message.type === "invite") federation.inFlight.add(refuse());
          else receive.call(device, message);
        };
      }
      federation.connectAll();
      const runId = await federation.launch(2);
      await federation.ended(runId);
      expect(await federation.run(runId)).toMatchObject({ state: "failed", code });
      const models = (await federation.rounds(runId)).map(({ parentModelHash }) => parentModelHash);
      // A model that they opened is not offered again; one that they had only passed is.
      expect([models.length, new Set(models).size]).toEqual([8, code === "REPLAY" ? 1 : 8]);
    },
  );

  test("three made-up devices that report it do not speak for a round of ten", async () => {
    const { federation, runId } = await collecting(1, 10);
    for (const { identity } of federation.devices.slice(1, 4))
      await federation.coordinator.devices.onDeviceMessage(identity, { type: "leave", code: "REPLAY" });
    expect((await federation.run(runId)).notice ?? null).toBeNull();
    for (const { identity } of federation.devices.slice(4, 6))
      await federation.coordinator.devices.onDeviceMessage(identity, { type: "leave", code: "REPLAY" });
    expect((await federation.run(runId)).notice?.message).toMatch(/^5 of the 10 devices/);
  });

  test("one device that reports it, or another reason, is no sign of it", async () => {
    const { federation, runId } = await collecting(1);
    const [first, ...others] = federation.devices.slice(1).map(({ identity }) => identity);
    for (let time = 0; time < 5; time++) {
      await federation.coordinator.devices.onDeviceMessage(present(first, "a device"), {
        type: "leave",
        code: "REPLAY",
      });
    }
    for (const identity of others)
      await federation.coordinator.devices.onDeviceMessage(identity, { type: "leave", code: "CONFIG" });
    expect((await federation.run(runId)).notice ?? null).toBeNull();
  });
});

describe("a wall clock that is set back", () => {
  test("[O6] gives no run and no round an end before its beginning", async () => {
    const federation = await Federation.create({ devices: DEVICES });
    federation.connectAll();
    const wall = federation.clock.nowUnixMs.bind(federation.clock);
    let calls = 0;
    // An hour back at each reading.
    federation.clock.nowUnixMs = () => wall() - ++calls * 3_600_000;
    const runId = await federation.launch(2);
    const run = await federation.ended(runId);
    const at = (text: string | null) => Date.parse(present(text, "a time"));
    expect(at(run.startedAt)).toBeGreaterThanOrEqual(at(run.createdAt));
    expect(at(run.endedAt)).toBeGreaterThanOrEqual(at(run.startedAt));
    for (const round of await federation.rounds(runId))
      expect(at(round.endedAt)).toBeGreaterThanOrEqual(at(round.openedAt));
    // The same after a restart: the row and the log agree.
    await federation.restart();
    expect((await federation.run(runId)).endedAt).toBe(run.endedAt);
  });
});
