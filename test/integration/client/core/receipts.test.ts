import { describe, expect, test } from "vitest";
import type { Link } from "#client/core/ports.ts";
import { createLogMemory, ownReceipt } from "#client/core/round/own-receipt.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { RoundId, SessionId } from "#shared/protocol/ids.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import { parseVerifierKey } from "#shared/tlog/note.ts";
import { verifyInputReceipt } from "#shared/transcript/input-receipt.ts";
import { ProductDevice } from "#test/kit/devices/product-device.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* The product's own devices after two rounds of a coordinator with a public log, and their receipts. */

const COUNT = 4;

async function afterTwoRounds() {
  const federation = await Federation.create({ devices: COUNT, hasLog: true });
  federation.devices.length = 0;
  const log = present(federation.publicLog, "a federation with a log");
  const devices: ProductDevice[] = [];
  for (let index = 0; index < COUNT; index++)
    devices.push(await ProductDevice.create(federation, { seed: `${index}`, log }));
  const runId = await federation.launch(2);
  for (const device of devices) device.enrolment.start();
  expect((await federation.ended(runId)).state).toBe("completed");
  await federation.until(
    () => devices.every(({ view }) => view.contributions.every(({ outcome }) => outcome !== null)),
    "every device is told",
  );
  return { federation, log, devices, rounds: await federation.rounds(runId) };
}

describe("receipts of a federation", () => {
  test("[A72] every device has one of every sum that it is in, and each holds offline", async () => {
    const { federation, log, devices, rounds } = await afterTwoRounds();
    const primitives = await selectPrimitives(globalThis.crypto.subtle);
    const { publicKey, origin: logOrigin } = log.key;
    const issuerKey = "ab".repeat(32);
    const authority = {
      projectId: "default",
      codeVersion: "test",
      issuerKey,
      logKey: bytesToHex(publicKey),
      logOrigin,
    };
    const expectedConfig = await agreedConfigOf(primitives, federation.task, authority);
    const link = { fetchPart: (path: string) => federation.part(path) } as Link;
    const onContradiction = (file: string) => {
      throw new Error(file);
    };
    const inputs = new Set<string>();
    for (const { cells, view } of devices) {
      const logs = createLogMemory(cells);
      const ports = { link, logs, primitives, wall: federation.clock };
      expect(view.contributions).toHaveLength(2);
      for (const contribution of view.contributions) {
        const made = await ownReceipt({ ports, expectedConfig, onContradiction }, contribution);
        if (!made.ok) throw new Error(made.error.message);
        const key = await parseVerifierKey(primitives, made.value.logKey);
        if (!key.ok) throw new Error(key.error.sentence);
        const held = await verifyInputReceipt(primitives, made.value.text, key.value);
        const round = rounds.find(({ round: number }) => number === contribution.round);
        expect(held).toMatchObject({
          ok: true,
          value: { roundId: round?.roundId, survivors: COUNT, inputRoot: contribution.root },
        });
        inputs.add(made.value.receipt.inputRoot);
      }
    }
    expect(inputs.size).toBe(2 * COUNT);
  });

  test("[A73] a session of another round, an unknown one and a coordinator without a log are refused", async () => {
    const { federation, devices, rounds } = await afterTwoRounds();
    const [first, second] = rounds.map(({ roundId }) => roundId as RoundId);
    const sids = devices[0]?.view.contributions.map(({ sid }) => sid as SessionId) ?? [];
    const proofOf = (roundId = "", sid = "") =>
      federation.coordinator.rounds.sealedInputsProof(roundId, sid, 0);
    // The newest contribution comes first.
    expect((await proofOf(second, sids[0])).ok).toBe(true);
    expect((await proofOf(first, sids[1])).ok).toBe(true);
    expect(await proofOf(first, sids[0])).toMatchObject({ error: { code: "NOT_FOUND" } });
    expect(await proofOf(first, "5d".repeat(32))).toMatchObject({ error: { code: "NOT_FOUND" } });
    const { coordinator } = await Federation.create({ devices: COUNT });
    expect(await coordinator.rounds.sealedInputsProof(first ?? "", sids[1] ?? "", 0)).toMatchObject({
      error: { code: "NOT_FOUND", message: expect.stringContaining("no public log") },
    });
  });
});
