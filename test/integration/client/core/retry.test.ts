import { describe, expect, test } from "vitest";
import { ERRORS, type ErrorCode, type WireError } from "#shared/protocol/errors.ts";
import { ProductDevice, type Surroundings } from "../../../kit/devices/product-device.ts";
import { Federation } from "../../../kit/worlds/federation.ts";

/*
 * A product session among four devices in memory. It retries what was refused if the error says so, whatever the code:
 * each case uses a code whose usual `retry` differs, or a code that no client ever listed.
 */

type Gate = (type: string) => WireError | null;

/** @param needed  The step at which another device leaves, so that the round cannot go on without this one. */
async function behind(gate: Gate, needed: string | null = null) {
  const federation = await Federation.create({ devices: 4, task: { goal: 5 } });
  const surroundings: Surroundings = {
    clock: federation.clock,
    inFlight: federation.inFlight,
    task: federation.task,
    disk: federation.disk,
    devices: federation.devices,
    get running() {
      return federation.running;
    },
    coordinator: {
      devices: {
        deviceUp: (identity, task) => federation.coordinator.devices.deviceUp(identity, task),
        deviceDown: (identity) => federation.coordinator.devices.deviceDown(identity),
        onDeviceMessage: async (identity, message) => {
          const error = gate(message.type);
          if (error !== null) return { type: "refused", error };
          return federation.coordinator.devices.onDeviceMessage(identity, message);
        },
      },
      get uploads() {
        return federation.coordinator.uploads;
      },
    },
  };
  const [other] = federation.devices;
  if (other !== undefined && (needed === "confirm" || needed === "unmask")) other.goneBefore = needed;
  const device = await ProductDevice.create(surroundings);
  const runId = await federation.launch(1);
  federation.connectAll();
  device.enrolment.start();
  return { federation, device, runId };
}

/** Refuses the first messages of this type. */
function refusing(type: string, error: WireError, count: number): Gate {
  let left = count;
  return (sent) => (sent === type && left-- > 0 ? error : null);
}

const errorOf = (code: ErrorCode, retry: WireError["retry"]): WireError => ({
  code,
  message: ERRORS[code][1],
  retry,
});

const MESSAGES = ["advertise", "share", "confirm", "unmask"] as const;

describe("[W1] a refused message", () => {
  test.each(
    MESSAGES.flatMap((type) =>
      (["now", "later"] as const).flatMap((retry) =>
        (["FILE_LOST", "BAD_SIGNATURE"] as const).map((code) => [type, retry, code] as const),
      ),
    ),
  )("%s is sent again if it may be, %s: %s", async (type, retry, code) => {
    const { federation, device, runId } = await behind(refusing(type, errorOf(code, retry), 2), type);
    await federation.ended(runId);
    await federation.until(() => device.view.round?.outcome != null, "the outcome");
    expect(device.view.round?.outcome?.kind).toBe("committed");
    expect(device.sentOf(type).length).toBeGreaterThanOrEqual(3);
  });

  test.each(MESSAGES)("%s is not sent again if it will never be accepted", async (type) => {
    const error = errorOf("UNAVAILABLE", "never");
    const { federation, device } = await behind(refusing(type, error, Number.POSITIVE_INFINITY));
    await federation.until(() => device.view.round?.outcome != null, "the outcome");
    expect(device.view.round?.outcome).toMatchObject({ kind: "dropped", code: "UNAVAILABLE" });
    expect(device.sentOf(type)).toHaveLength(1);
  });
});

describe("[W1] a refused check-in", () => {
  test("is sent again if it may be", async () => {
    const error = errorOf("UNKNOWN_TASK", "later");
    const { federation, device, runId } = await behind(refusing("check-in", error, 2));
    await federation.ended(runId);
    await federation.until(() => device.view.round?.outcome != null, "the outcome");
    expect(device.view.round?.outcome?.kind).toBe("committed");
  });

  test("ends the session if it will never be accepted", async () => {
    const error = errorOf("TASK_VERSION", "never");
    const { federation, device } = await behind(refusing("check-in", error, Number.POSITIVE_INFINITY));
    await federation.until(() => device.view.activity === "idle", "the end");
    expect(device.view.refusal).toMatchObject({ code: "TASK_VERSION", retry: "never", by: "coordinator" });
  });
});

describe("[R2] a round's final decision about a message", () => {
  test("is final: the device is told never to send it again", async () => {
    const { federation, device, runId } = await behind(() => null);
    await federation.ended(runId);
    const [round] = await federation.rounds(runId);
    expect(round?.phase).toBe("committed");
    const [share] = device.sentOf("share");
    expect(share).toBeDefined();
    const answer = await federation.coordinator.devices.onDeviceMessage(device.identity, {
      type: "confirm",
      sid: "0".repeat(64) as never,
      signature: new Uint8Array(64),
    });
    expect(answer).toMatchObject({ type: "refused", error: { retry: "never" } });
  });
});

test("[W10] a download that the coordinator cuts off is tried again, and the device takes part", async () => {
  const { federation, device, runId } = await behind(() => null);
  device.cutDownloads = 3;
  await federation.ended(runId);
  await federation.until(() => device.view.round?.outcome != null, "the outcome");
  expect(device.cutDownloads).toBe(0);
  expect(device.view.round?.outcome?.kind).toBe("committed");
  expect(device.sentOf("unmask").length).toBeGreaterThan(0);
});
