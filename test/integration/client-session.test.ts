import { describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import type { CellChange } from "#client/core/memory.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { decodeFrame } from "#shared/protocol/frame.ts";
import type { RunId } from "#shared/protocol/ids.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import { deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import type { Ring } from "#shared/vector/ring.ts";
import { Federation } from "../kit/federation.ts";
import { seededRandom } from "../kit/secagg-fixtures.ts";
import { SessionDevice, type SessionDeviceOptions } from "../kit/session-device.ts";

/* One product session among four devices in memory, against the real core. Five in all; t is 4. */

async function among(others: number, options: SessionDeviceOptions = {}, ring: Ring = 32) {
  const federation = await Federation.create({ devices: others, task: { goal: others + 1, ring } });
  const device = await SessionDevice.create(federation, options);
  return { federation, device };
}

/** Launches and lets everyone come. */
async function begin(federation: Federation, device: SessionDevice, rounds = 1): Promise<string> {
  const runId = await federation.launch(rounds);
  federation.connectAll();
  device.session.start();
  return runId;
}

const outcomeOf = (device: SessionDevice) => device.view.round?.outcome ?? null;

describe("a session", () => {
  test("takes part from check-in to outcome, and its list is in the sum", async () => {
    const { federation, device } = await among(4);
    const runId = await begin(federation, device);
    const run = await federation.ended(runId);
    expect(run.state).toBe("completed");
    const [round] = await federation.rounds(runId);
    if (round === undefined) throw new Error("no round");
    expect(round).toMatchObject({ phase: "committed", survivors: 5 });
    expect(federation.distanceFromOracle(round, federation.devices)).toBeLessThan(1);
    expect(outcomeOf(device)).toMatchObject({
      kind: "committed",
      survivorCount: 5,
      included: true,
      modelHash: round.modelHash,
    });
    expect(device.view.budget.used).toBe(1);
    expect(device.view.model?.modelHash).toBe(round.modelHash);
    expect(Object.keys(device.view.round?.stepsAt ?? {})).toEqual([
      "downloading",
      "training",
      "advertised",
      "shared",
      "masking",
      "uploading",
      "uploaded",
      "confirmed",
      "opened",
      "ended",
    ]);
  });

  test("shows exactly what left: the same coordinates three times, and every byte by its part", async () => {
    const { federation, device } = await among(4);
    await federation.ended(await begin(federation, device));
    const { latest } = device.view;
    if (latest?.sample == null || latest.histograms === null) throw new Error("nothing left");
    const [body] = device.sentOf("input");
    const left = new Uint32Array(body?.slice().buffer ?? new ArrayBuffer(0));
    expect([...latest.sample.left]).toEqual([...left].slice(0, 2_048));
    const { update, masks, unit } = latest.sample;
    expect([...update].map((value, index) => (value + (masks[index] ?? 0)) >>> 0)).toEqual(
      [...latest.sample.left].map((value) => value >>> 0),
    );
    // A device that is asked again sends the same bytes again (S10), and they count once.
    const sizes = (type: string) => {
      const distinct = new Map(device.sentOf(type).map((bytes) => [bytesToHex(bytes), bytes.length]));
      return [...distinct.values()].reduce((sum, length) => sum + length, 0);
    };
    expect(latest.parts.maskedListByteCount).toBe(sizes("input"));
    expect(latest.parts.keySharesByteCount).toBe(sizes("share"));
    expect(latest.parts.openingByteCount).toBe(sizes("unmask"));
    // Frames of the two signed messages, and the four headers of the upload.
    const headers = latest.parts.keysAndSignaturesByteCount - sizes("advertise") - sizes("confirm");
    expect(headers).toBeGreaterThan(43 + 64 + 64 + 128);
    expect(headers).toBeLessThan(400);
    for (const histogram of [latest.histograms.masks, latest.histograms.left]) {
      expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(left.length);
    }
    // The update's own change, in the unit of the weights: drawn within 0.05.
    const largest = Math.max(...[...update].slice(0, 15).map((value) => Math.abs(value * unit)));
    expect(largest).toBeGreaterThan(0.02);
    expect(largest).toBeLessThanOrEqual(0.0501);
  });

  test("[S20] on the 16-bit ring it shows its changes as they were, and halves of the words that left", async () => {
    const { federation, device } = await among(4, {}, 16);
    const runId = await begin(federation, device);
    expect((await federation.ended(runId)).roundsCommitted).toBe(1);
    const { latest } = device.view;
    if (latest?.sample == null || latest.histograms === null) throw new Error("nothing left");
    const [body] = device.sentOf("input");
    const halves = new Uint16Array(body?.slice().buffer ?? new ArrayBuffer(0)).subarray(0, 16);
    expect([...latest.sample.left]).toEqual([...halves.subarray(0, 15)]);
    const { update, unit } = latest.sample;
    const [part] = device.parts;
    if (part === undefined) throw new Error("no record");
    expect([...update]).toEqual([...part.clippedUpdate].map((change) => Math.round(change / unit)));
    expect(Math.max(...update)).toBeGreaterThan(1);
    // The own words and the mask's halves give what left, with what is carried from one half to the next.
    const { masks } = latest.sample;
    for (let index = 0; index < 14; index += 2) {
      const mask = (masks[index] ?? 0) + 65_536 * (masks[index + 1] ?? 0);
      const left = (halves[index] ?? 0) + 65_536 * (halves[index + 1] ?? 0);
      expect(((part.words[index / 2] ?? 0) + mask) % 2 ** 32).toBe(left);
    }
    for (const histogram of [latest.histograms.masks, latest.histograms.left]) {
      expect(histogram.to).toBe(65_536);
      expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(halves.length);
    }
    expect(latest.parts.maskedListByteCount).toBe(2 * 16 + 4 * 11);
  });

  test("goes on from round to round and trains anew for each", async () => {
    const { federation, device } = await among(4);
    const runId = await begin(federation, device, 3);
    expect((await federation.ended(runId)).roundsCommitted).toBe(3);
    for (const round of await federation.rounds(runId)) expect(round.survivors).toBe(5);
    expect(device.view.contributions.map(({ round }) => round)).toEqual([3, 2, 1]);
    expect(new Set(device.trainings).size).toBe(3);
  });
});

describe("a lost connection", () => {
  test.each(
    (["advertise", "share", "confirm", "unmask"] as const).flatMap((type) =>
      (["before", "after"] as const).map((when) => [type, when] as const),
    ),
  )("[S10] at %s, %s it arrived: the same bytes again, one list in the sum", async (type, when) => {
    const { federation, device } = await among(4);
    device.intercept = { type, when, run: () => device.cut() };
    const runId = await begin(federation, device);
    await federation.ended(runId);
    const [round] = await federation.rounds(runId);
    expect(round).toMatchObject({ phase: "committed", survivors: 5 });
    expect(device.intercept).toBeNull();
    expect(device.trainings).toHaveLength(1);
    await federation.until(() => outcomeOf(device) !== null, "the outcome");
    expect(outcomeOf(device)?.kind).toBe("committed");
    const sent = device.sentOf(type).map(bytesToHex);
    expect(new Set(sent).size).toBeLessThanOrEqual(1);
    // Confirmations and shares of the four others are enough, so the round may have gone on meanwhile.
    if (type === "advertise" || type === "share")
      expect(sent.length).toBeGreaterThanOrEqual(when === "before" ? 1 : 2);
  });

  test("a hidden tab is off the network and comes back", async () => {
    const { federation, device } = await among(4);
    const shown: string[] = [];
    device.session.view.subscribe(({ connection }) => void (connection && shown.push(connection.state)));
    device.intercept = {
      type: "share",
      when: "before",
      run: () => {
        device.session.setHidden(true);
        expect(device.online).toBe(false);
        expect(device.view.connection.state).toBe("offline");
        federation.clock.after(2_000, () => device.session.setHidden(false));
      },
    };
    const runId = await begin(federation, device);
    await federation.ended(runId);
    expect(device.intercept).toBeNull();
    expect(outcomeOf(device)?.kind).toBe("committed");
    expect(shown.filter((state, index) => state !== shown[index - 1])).toEqual([
      "connecting",
      "online",
      "offline",
      "connecting",
      "online",
    ]);
  });

  test("a coordinator that never comes back ends the part after its deadline, and nothing more is sent", async () => {
    const { federation, device } = await among(4);
    device.intercept = { type: "share", when: "after", run: () => federation.crash() };
    await begin(federation, device);
    await federation.until(() => outcomeOf(device) !== null, "the timeout");
    expect(outcomeOf(device)).toMatchObject({ kind: "dropped", code: "TIMEOUT", sent: false });
    expect(device.sent.at(-1)?.type).toBe("share");
  });
});

/** Cells that fail for keys with this prefix. */
class FailingCells extends MapCells {
  failing: string | null = null;
  override async swap(changes: readonly CellChange[]): Promise<boolean> {
    if (this.failing !== null && changes.some(({ key }) => key.startsWith(this.failing ?? "")))
      throw new Error("disk");
    return super.swap(changes);
  }
}

describe("what is remembered is durable before what it guards is sent", () => {
  const guards = [
    ["mark/", "advertise"],
    ["used/", "input"],
    ["ballot/", "confirm"],
    ["revealed/", "unmask"],
  ] as const;

  test.each(guards)("[S10] %s cannot be written: %s is not sent", async (prefix, type) => {
    const cells = new FailingCells();
    cells.failing = prefix;
    const { federation, device } = await among(4, { cells });
    await begin(federation, device);
    await federation.until(() => outcomeOf(device) !== null, "the refusal");
    expect(outcomeOf(device)).toMatchObject({ kind: "refused-by-device", code: "STORAGE_FULL" });
    expect(device.sentOf(type)).toHaveLength(0);
    expect(device.view.activity).toBe("idle");
  });

  test("positive control: with a disk that works each of them is sent", async () => {
    const { federation, device } = await among(4, { cells: new FailingCells() });
    await federation.ended(await begin(federation, device));
    for (const [, type] of guards) expect(device.sentOf(type).length).toBeGreaterThanOrEqual(1);
  });
});

describe("the device says no", () => {
  const BEFORE_A_ROUND = new Set(["hello", "authenticate", "check-in", "leave"]);
  const refusal = async (federation: Federation, device: SessionDevice, code: ErrorCode) => {
    await begin(federation, device);
    await federation.until(() => device.view.refusal !== null || outcomeOf(device) !== null, "the refusal");
    expect(device.view.refusal).toMatchObject({ code, by: "device" });
    expect(device.sent.map(({ type }) => type).filter((type) => !BEFORE_A_ROUND.has(type))).toEqual([]);
  };

  test("[S8] to a round whose minimum is lower than agreed", async () => {
    const probe = await among(4);
    const config = { ...(await configOf(probe.federation)), cohortSizeMin: 5 };
    const { federation, device } = await among(4, { session: { expectedConfig: config } });
    await refusal(federation, device, "CONFIG");
    expect(device.view.activity).toBe("idle");
  });

  test("[S6] [S25] to a round of a purpose that it did not agree to", async () => {
    const { federation, device } = await among(4);
    const receive = device.receive.bind(device);
    device.receive = (message) => {
      if (message.type !== "invite") return receive(message);
      receive({ ...message, roundParams: { ...message.roundParams, purpose: "evaluate" } });
    };
    await refusal(federation, device, "CONFIG");
  });

  test("[R22] to a round that asks for more training than was agreed to", async () => {
    const probe = await among(4);
    const { task } = probe.federation;
    // Twice the batch is half the steps.
    const less = { ...task, training: { ...task.training, batchSize: 2 * task.training.batchSize } };
    const { federation, device } = await among(4, { session: { task: less } });
    await refusal(federation, device, "CONFIG");
  });

  test("[S6] to a model whose bytes are not those of its hash", async () => {
    const { federation, device } = await among(4);
    device.damageModels = true;
    await refusal(federation, device, "CONFIG");
  });

  test("to numbers that are none", async () => {
    const { federation, device } = await among(4, {
      delta: (count) => new Float32Array(count).fill(Number.NaN),
    });
    await refusal(federation, device, "NON_FINITE_UPDATE");
  });

  test("to a model that it has helped to open already", async () => {
    const cells = new MapCells();
    const { federation, device } = await among(4, { cells });
    const runId = await federation.launch(1);
    const modelHash = await firstModel(federation, runId);
    await cells.swap([{ key: `revealed/${modelHash}`, before: null, after: "ab".repeat(32) }]);
    federation.connectAll();
    device.session.start();
    await federation.until(() => device.view.refusal !== null, "the refusal");
    expect(device.view.refusal).toMatchObject({ code: "ALREADY_REVEALED", by: "device" });
    expect(device.sentOf("advertise")).toHaveLength(0);
  });

  test.each([
    ["a round that it was in before a reload", "mark", (runId: string) => [`mark/${runId}`, "1.1"]],
    [
      "a model that another run has its input for",
      "used",
      (_: string, modelHash: string) => [`used/${modelHash}`, "cd".repeat(16)],
    ],
  ] as const)("[S10] to %s, before it trains and not only before it sends", async (_, __, cellOf) => {
    const cells = new MapCells();
    const { federation, device } = await among(4, { cells });
    const runId = await federation.launch(1);
    const [key, after] = cellOf(runId, await firstModel(federation, runId));
    await cells.swap([{ key: key as string, before: null, after: after as string }]);
    federation.connectAll();
    device.session.start();
    await federation.until(() => device.view.refusal !== null, "the refusal");
    expect(device.view.refusal).toMatchObject({ code: "REPLAY", by: "device" });
    // The round goes on without it, and it waits for the next one.
    expect((await federation.ended(runId)).state).toBe("completed");
    expect(device.trainings).toEqual([]);
    // Of many devices it tells that the coordinator went back in time.
    const farewells = device.sentOf("leave").map((bytes) => decodeFrame(bytes, deviceMessageSchema));
    expect(farewells).toContainEqual({ ok: true, value: { type: "leave", code: "REPLAY" } });
    expect(new Set(device.sent.map(({ type }) => type))).toEqual(
      new Set(["hello", "authenticate", "check-in", "leave"]),
    );
    expect(device.view.activity).toBe("waiting");
  });

  test("[S10] [R6] to its round after a reload, also before the login is through: nobody waits for it", async () => {
    const cells = new MapCells();
    const { federation, device } = await among(4, { cells });
    const runId = await federation.launch(1);
    // Its mark is written, its R0 is not sent, and the page is gone.
    device.intercept = { type: "advertise", when: "before", run: () => device.disconnect() };
    federation.connectAll();
    device.session.start();
    await federation.until(
      async () => (await cells.get(`mark/${runId}`)) !== null && !device.online,
      "the end",
    );
    federation.devices.splice(federation.devices.indexOf(device as never), 1);
    void device.session.pause();
    const reloaded = await SessionDevice.create(federation, { cells });
    const reloadedAtMs = federation.clock.nowMs();
    reloaded.session.start();
    expect((await federation.ended(runId)).state).toBe("completed");
    const types = reloaded.sent.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(["hello", "authenticate"]);
    expect(types).toContain("leave");
    expect(types).not.toContain("advertise");
    expect(reloaded.trainings).toEqual([]);
    // The deadline of the phase is a minute away.
    expect(federation.clock.nowMs() - reloadedAtMs).toBeLessThan(20_000);
  });

  /** What a coordinator says that wants another attempt. */
  const abandoned = (runId: string, attempt: number): CoordinatorMessage => ({
    type: "abandoned",
    runId: runId as RunId,
    round: 1,
    attempt,
    code: "RESTARTED",
    retry: true,
  });
  const attemptsOf = (device: SessionDevice) =>
    device.sentOf("advertise").map((bytes) => {
      const message = decodeFrame(bytes, deviceMessageSchema);
      return message.ok && message.value.type === "advertise" ? message.value.attempt : null;
    });

  test("[S10] to another attempt for a model whose sum it has helped to open", async () => {
    const { federation, device } = await among(4);
    const runId = await begin(federation, device);
    device.intercept = { type: "unmask", when: "after", run: () => device.receive(abandoned(runId, 1)) };
    await federation.until(() => outcomeOf(device) !== null, "the outcome");
    expect(outcomeOf(device)).toMatchObject({ kind: "refused-by-device", code: "ALREADY_REVEALED" });
    expect(attemptsOf(device)).toEqual([1]);
  });

  test("[S10] to a fourth attempt; before the opening a second and a third are taken (positive control)", async () => {
    const { federation, device } = await among(4);
    const runId = await begin(federation, device);
    const run = () => {
      for (const attempt of [1, 2, 3]) device.receive(abandoned(runId, attempt));
    };
    device.intercept = { type: "share", when: "before", run };
    await federation.until(() => outcomeOf(device) !== null, "the outcome");
    expect(outcomeOf(device)).toMatchObject({ kind: "given-up", code: "RESTARTED" });
    const marks = await device.cells.get(`mark/${runId}`);
    expect(marks).toBe("1.3");
    expect(attemptsOf(device)).not.toContain(4);
  });

  test("beyond its own limit of rounds", async () => {
    const { federation, device } = await among(4, { session: { roundsMax: 1 } });
    const runId = await begin(federation, device, 2);
    await federation.ended(runId);
    expect(device.view.budget).toEqual({ used: 1, limit: 1 });
    expect(device.view.refusal).toMatchObject({ code: "BUDGET", by: "device" });
    expect(device.sentOf("input")).toHaveLength(1);
    expect(device.view.activity).toBe("idle");
  });

  test("[S6] to rounds whose devices another issuer certifies", async () => {
    // This device pinned the issuer that its login named; the round's config names another.
    const { federation, device } = await among(4, { federationSeed: "somebody else" });
    await refusal(federation, device, "CONFIG");
  });

  test("to a login that another issuer certifies", async () => {
    const authority = {
      projectId: "default",
      codeVersion: "test",
      issuerKey: "11".repeat(32),
      logKey: "0".repeat(64),
    };
    const { federation, device } = await among(4, { session: { authority } });
    await refusal(federation, device, "BAD_CERTIFICATE");
    expect(device.view.activity).toBe("idle");
    expect(device.sentOf("check-in")).toHaveLength(0);
  });
});

describe("a round that is given up", () => {
  test("and tried again: fresh keys, the same training", async () => {
    const { federation, device } = await among(4);
    // Two of five go before they share: U2 is 3, t is 4.
    for (const other of federation.devices.slice(0, 2)) other.goneBefore = "share";
    const runId = await begin(federation, device);
    await federation.until(
      () => device.view.contributions.length > 0 && (device.view.round?.attempt ?? 1) > 1,
      "a second attempt",
    );
    expect(device.trainings).toHaveLength(1);
    await federation.until(() => device.sentOf("advertise").length === 2, "the second advert");
    const [first, second] = device.sentOf("advertise").map(bytesToHex);
    expect(first).not.toBe(second);
    expect(device.view.contributions.at(-1)?.outcome).toMatchObject({ kind: "given-up", sent: false });
    void runId;
  });
});

describe("pause and leave", () => {
  test("in the middle of a round: the others go on without this device, and nothing more is sent", async () => {
    const { federation, device } = await among(4);
    device.intercept = {
      type: "share",
      when: "after",
      run: () => federation.inFlight.add(device.session.pause()),
    };
    const runId = await begin(federation, device);
    expect((await federation.ended(runId)).state).toBe("completed");
    const types = device.sent.map(({ type }) => type);
    expect(types.slice(types.indexOf("share"))).toEqual(["share", "leave"]);
    const [round] = await federation.rounds(runId);
    expect(round?.survivors).toBe(4);
    expect(outcomeOf(device)).toMatchObject({ kind: "dropped", sent: false });
    expect(device.view.activity).toBe("idle");
    device.session.start();
    await federation.until(() => device.view.connection.state === "online", "the return");
  });

  test("a connection that the coordinator ends for good ends the session with the reason", async () => {
    const { federation, device } = await among(4);
    await begin(federation, device);
    await federation.until(
      () => device.view.activity === "waiting" || device.view.activity === "in-round",
      "the login",
    );
    device.end("ALREADY_CONNECTED");
    expect(device.view).toMatchObject({
      activity: "idle",
      refusal: { code: "ALREADY_CONNECTED", by: "coordinator" },
    });
  });
});

async function configOf(federation: Federation) {
  const { subtle } = globalThis.crypto;
  const issuer = localSigner(seededRandom("federation keys")(32), subtle);
  return agreedConfigOf(await selectPrimitives(subtle), federation.task, {
    projectId: "default",
    codeVersion: "test",
    logKey: "0".repeat(64),
    issuerKey: bytesToHex(issuer.publicKey),
  });
}

async function firstModel(federation: Federation, runId: string): Promise<string> {
  await federation.until(async () => (await federation.run(runId)).modelHash !== null, "the first model");
  return (await federation.run(runId)).modelHash ?? "";
}
