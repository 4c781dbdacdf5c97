import { describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import type { CellChange } from "#client/core/memory.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { among, begin, outcomeOf } from "#test/kit/worlds/enrolled.ts";

/* One product enrolment among four devices in memory, against the real core. Five in total; t is 4. */

describe("an enrolment", () => {
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
    // A device that is asked again sends the same bytes (S10), which count once.
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

  test("[S20] on the 16-bit ring it shows its changes before rotation, and halves of the words that left", async () => {
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
    // The own words plus the halves of the masks give what left, with carries from one half to the next.
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

  test("goes on from round to round and trains again for each", async () => {
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

  test("a hidden tab disconnects and comes back", async () => {
    const { federation, device } = await among(4);
    const shown: string[] = [];
    device.enrolment.view.subscribe(({ connection }) => void (connection && shown.push(connection.state)));
    device.intercept = {
      type: "share",
      when: "before",
      run: () => {
        device.enrolment.setHidden(true);
        expect(device.online).toBe(false);
        expect(device.view.connection.state).toBe("offline");
        federation.clock.after(2_000, () => device.enrolment.setHidden(false));
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

  test("positive control: with a working disk each of them is sent", async () => {
    const { federation, device } = await among(4, { cells: new FailingCells() });
    await federation.ended(await begin(federation, device));
    for (const [, type] of guards) expect(device.sentOf(type).length).toBeGreaterThanOrEqual(1);
  });
});

describe("a round that is given up", () => {
  test("and tried again: fresh keys, the same training", async () => {
    const { federation, device } = await among(4);
    // Two of five leave before they share: U2 is 3, t is 4.
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
      run: () => federation.inFlight.add(device.enrolment.pause()),
    };
    const runId = await begin(federation, device);
    expect((await federation.ended(runId)).state).toBe("completed");
    const types = device.sent.map(({ type }) => type);
    expect(types.slice(types.indexOf("share"))).toEqual(["share", "leave"]);
    const [round] = await federation.rounds(runId);
    expect(round?.survivors).toBe(4);
    expect(outcomeOf(device)).toMatchObject({ kind: "dropped", sent: false });
    expect(device.view.activity).toBe("idle");
    device.enrolment.start();
    await federation.until(() => device.view.connection.state === "online", "the return");
  });

  test("a connection that the coordinator ends for good ends the enrolment with the reason", async () => {
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
