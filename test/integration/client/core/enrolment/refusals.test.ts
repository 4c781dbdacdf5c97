import { describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { decodeFrame } from "#shared/protocol/frame.ts";
import type { RunId } from "#shared/protocol/ids.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import { deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import { ProductDevice } from "#test/kit/devices/product-device.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { among, begin, outcomeOf } from "#test/kit/worlds/enrolled.ts";
import type { Federation } from "#test/kit/worlds/federation.ts";

/* When one product enrolment among four devices in memory refuses to take part, against the real core. */

describe("the device refuses to take part", () => {
  const BEFORE_A_ROUND = new Set(["hello", "authenticate", "check-in", "leave"]);
  const refusal = async (federation: Federation, device: ProductDevice, code: ErrorCode) => {
    await begin(federation, device);
    await federation.until(() => device.view.refusal !== null || outcomeOf(device) !== null, "the refusal");
    expect(device.view.refusal).toMatchObject({ code, by: "device" });
    expect(device.sent.map(({ type }) => type).filter((type) => !BEFORE_A_ROUND.has(type))).toEqual([]);
  };

  test("[S8] in a round whose minimum is lower than agreed", async () => {
    const probe = await among(4);
    const config = { ...(await configOf(probe.federation)), cohortSizeMin: 5 };
    const { federation, device } = await among(4, { enrolment: { expectedConfig: config } });
    await refusal(federation, device, "CONFIG");
    expect(device.view.activity).toBe("idle");
  });

  test("[S6] [S25] in a round of a purpose that it did not agree to", async () => {
    const { federation, device } = await among(4);
    const receive = device.receive.bind(device);
    device.receive = (message) => {
      if (message.type !== "invite") return receive(message);
      receive({ ...message, roundParams: { ...message.roundParams, purpose: "evaluate" } });
    };
    await refusal(federation, device, "CONFIG");
  });

  test("[R22] in a round that asks for more training than was agreed to", async () => {
    const probe = await among(4);
    const { task } = probe.federation;
    // Twice the batch is half the steps.
    const less = { ...task, training: { ...task.training, batchSize: 2 * task.training.batchSize } };
    const { federation, device } = await among(4, { enrolment: { task: less } });
    await refusal(federation, device, "CONFIG");
  });

  test("[S6] with a model whose bytes do not match its hash", async () => {
    const { federation, device } = await among(4);
    device.damageModels = true;
    await refusal(federation, device, "CONFIG");
  });

  test("with non-finite numbers", async () => {
    const { federation, device } = await among(4, {
      delta: (count) => new Float32Array(count).fill(Number.NaN),
    });
    await refusal(federation, device, "NON_FINITE_UPDATE");
  });

  test("with a model that it has already helped to open", async () => {
    const cells = new MapCells();
    const { federation, device } = await among(4, { cells });
    const runId = await federation.launch(1);
    const modelHash = await firstModel(federation, runId);
    await cells.swap([{ key: `revealed/${modelHash}`, before: null, after: "ab".repeat(32) }]);
    federation.connectAll();
    device.enrolment.start();
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
    device.enrolment.start();
    await federation.until(() => device.view.refusal !== null, "the refusal");
    expect(device.view.refusal).toMatchObject({ code: "REPLAY", by: "device" });
    // The round goes on without it, and it waits for the next one.
    expect((await federation.ended(runId)).state).toBe("completed");
    expect(device.trainings).toEqual([]);
    // If many devices send it, this code means that the coordinator went back in time.
    const farewells = device.sentOf("leave").map((bytes) => decodeFrame(bytes, deviceMessageSchema));
    expect(farewells).toContainEqual({ ok: true, value: { type: "leave", code: "REPLAY" } });
    expect(new Set(device.sent.map(({ type }) => type))).toEqual(
      new Set(["hello", "authenticate", "check-in", "leave"]),
    );
    expect(device.view.activity).toBe("waiting");
  });

  test("[S10] [R6] in its round after a reload, even before the login is complete: nobody waits for it", async () => {
    const cells = new MapCells();
    const { federation, device } = await among(4, { cells });
    const runId = await federation.launch(1);
    // Its mark is written, its R0 is not sent, and the page is gone.
    device.intercept = { type: "advertise", when: "before", run: () => device.disconnect() };
    federation.connectAll();
    device.enrolment.start();
    await federation.until(
      async () => (await cells.get(`mark/${runId}`)) !== null && !device.online,
      "the end",
    );
    federation.devices.splice(federation.devices.indexOf(device as never), 1);
    void device.enrolment.pause();
    const reloaded = await ProductDevice.create(federation, { cells });
    const reloadedAtMs = federation.clock.nowMs();
    reloaded.enrolment.start();
    expect((await federation.ended(runId)).state).toBe("completed");
    const types = reloaded.sent.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(["hello", "authenticate"]);
    expect(types).toContain("leave");
    expect(types).not.toContain("advertise");
    expect(reloaded.trainings).toEqual([]);
    // The deadline of the phase is a minute away.
    expect(federation.clock.nowMs() - reloadedAtMs).toBeLessThan(20_000);
  });

  /** The coordinator's message that asks for another attempt. */
  const abandoned = (runId: string, attempt: number): CoordinatorMessage => ({
    type: "abandoned",
    runId: runId as RunId,
    round: 1,
    attempt,
    code: "RESTARTED",
    retry: true,
  });
  const attemptsOf = (device: ProductDevice) =>
    device.sentOf("advertise").map((bytes) => {
      const message = decodeFrame(bytes, deviceMessageSchema);
      return message.ok && message.value.type === "advertise" ? message.value.attempt : null;
    });

  test("[S10] in another attempt for a model whose sum it has helped to open", async () => {
    const { federation, device } = await among(4);
    const runId = await begin(federation, device);
    device.intercept = { type: "unmask", when: "after", run: () => device.receive(abandoned(runId, 1)) };
    await federation.until(() => outcomeOf(device) !== null, "the outcome");
    expect(outcomeOf(device)).toMatchObject({ kind: "refused-by-device", code: "ALREADY_REVEALED" });
    expect(attemptsOf(device)).toEqual([1]);
  });

  test("[S10] in a fourth attempt; before the opening it takes part in a second and a third (positive control)", async () => {
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
    const { federation, device } = await among(4, { enrolment: { roundsMax: 1 } });
    const runId = await begin(federation, device, 2);
    await federation.ended(runId);
    expect(device.view.budget).toEqual({ used: 1, limit: 1 });
    expect(device.view.refusal).toMatchObject({ code: "BUDGET", by: "device" });
    expect(device.sentOf("input")).toHaveLength(1);
    expect(device.view.activity).toBe("idle");
  });

  test("[S6] in rounds whose devices another issuer certifies", async () => {
    // This device pinned the issuer that its login named; the round's config names another.
    const { federation, device } = await among(4, { federationSeed: "somebody else" });
    await refusal(federation, device, "CONFIG");
  });

  test("after a login that another issuer certifies", async () => {
    const authority = {
      projectId: "default",
      codeVersion: "test",
      issuerKey: "11".repeat(32),
      logKey: "0".repeat(64),
    };
    const { federation, device } = await among(4, { enrolment: { authority } });
    await refusal(federation, device, "BAD_CERTIFICATE");
    expect(device.view.activity).toBe("idle");
    expect(device.sentOf("check-in")).toHaveLength(0);
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
