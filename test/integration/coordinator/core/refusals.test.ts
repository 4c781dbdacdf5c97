import { describe, expect, test } from "vitest";
import type { RoundMessage } from "#coordinator/core/coordinator.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { setHash } from "#shared/crypto/commitments.ts";
import { positionsToBitmap } from "#shared/crypto/position-set.ts";
import { present } from "#shared/kernel/assert.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import { wireErrorSchema } from "#shared/protocol/errors.ts";
import type { HashHex, SessionId } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { unmaskItem } from "#shared/secagg/signed-items.ts";
import { noiseForOne } from "#test/kit/adversary/dishonest.ts";
import { FAKE_SET } from "#test/kit/fakes/memory-held-out.ts";
import { positionNo } from "#test/kit/places.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

describe("what a device may not do", () => {
  test("[R2] messages of another session, repeated or with other content change nothing", async () => {
    const federation = await Federation.create({ devices: 4 });
    const [liar] = federation.devices;
    const device = present(liar, "a device");
    device.tamper = (message) =>
      message.type === "confirm" ? { ...message, signature: new Uint8Array(64) } : message;
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    // It is shown the sets once more before the opening, and lies once more.
    expect(new Set(device.refusals)).toEqual(new Set(["confirm: BAD_SIGNATURE"]));
    const [round] = await federation.rounds(runId);
    // Its input is in: only its confirmation was refused.
    expect([round?.phase, round?.survivors, round?.confirmed]).toEqual(["committed", 4, 3]);
    const { identity } = device;
    const writes = federation.writes.length;
    const sid = "0".repeat(64) as SessionId;
    const forged: readonly RoundMessage[] = [
      { type: "confirm", sid, signature: new Uint8Array(64) },
      { type: "share", sid, leaves: [], signature: new Uint8Array(64) },
      { type: "unmask", sid, bShares: [], zShares: [], signature: new Uint8Array(64) },
      { type: "complaint", sid, against: 1 as Position, signature: new Uint8Array(64) },
    ];
    for (const message of forged) {
      const reply = await federation.coordinator.devices.onDeviceMessage(identity, message);
      expect(reply.type).toBe("refused");
      if (reply.type === "refused") wireErrorSchema.parse(reply.error);
    }
    expect(
      (await federation.coordinator.devices.onDeviceMessage("f".repeat(64), { type: "leave" })).type,
    ).toBe("refused");
    expect(federation.writes.length).toBe(writes);
  });

  test("[R2] [S9] a second, different bundle is refused, and the first one counts", async () => {
    const federation = await Federation.create({ devices: 5 });
    const dealer = present(federation.devices[0], "a device");
    // Keeps the round waiting for bundles a little longer.
    present(federation.devices[1], "a device").goneBefore = "share";
    const other = noiseForOne(dealer);
    dealer.tamper = async (message) => {
      if (message.type !== "share") return message;
      const second = await other(message);
      const first = await federation.coordinator.devices.onDeviceMessage(dealer.identity, message);
      expect(first.type).toBe("accepted");
      return second;
    };
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    expect(dealer.refusals).toEqual(["share: CONFLICT"]);
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    // If the second bundle had counted, a holder would have complained about it.
    expect([round.phase, round.attempt, round.survivors]).toEqual(["committed", 1, 4]);
  });

  test("[R11] a bundle that its signature does not cover is refused, and the round goes on without it", async () => {
    const federation = await Federation.create({ devices: 6 });
    const dealer = present(federation.devices[0], "a device");
    dealer.tamper = (message) =>
      message.type === "share" ? { ...message, leaves: [...message.leaves].reverse() } : message;
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    expect(dealer.refusals[0]).toMatch(/^share: BAD_/);
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    expect([round.phase, round.survivors]).toEqual(["committed", 5]);
  });

  test("[S9] [R11] a device that gets a share that does not open is separated from its dealer, and the round commits", async () => {
    const federation = await Federation.create({ devices: 6 });
    const dealer = present(federation.devices[0], "a device");
    dealer.tamper = noiseForOne(dealer);
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    // c = 1 of 6, so one quarrel removes nobody; one of the two has no seat in the second attempt.
    expect([round.phase, round.round, round.attempt, round.advertised, round.survivors]).toEqual([
      "committed",
      1,
      2,
      5,
      5,
    ]);
    expect(round.events.find((event) => event.kind === "round.retried")?.details["code"]).toBe("COMPLAINT");
    expect(federation.db.leaves.filter((leaf) => leaf.kind === "survivors.signed")).toHaveLength(1);
  });

  /** The first `count` devices give a wrong share of b of position 1, signed as if it were right. */
  function lieInOpening({ devices }: Federation, count: number): void {
    const positions = devices.map((_, index) => index + 1);
    const identities = devices.map(({ identity }) => identity).sort();
    for (const device of devices.slice(0, count)) {
      const { primitives, signer } = device.tools;
      device.tamper = async (message) => {
        if (message.type !== "unmask") return message;
        const bShares = message.bShares.map((held) =>
          held.owner === 1 ? { ...held, share: held.share.map((byte) => byte ^ 1) } : held,
        );
        const sid = hexToBytes(message.sid);
        // Every device survives in these tests.
        const u2Hash = await setHash(
          primitives,
          sid,
          positionsToBitmap(positions.map(positionNo), positions.length),
        );
        const position = identities.indexOf(device.identity) + 1;
        const item = unmaskItem(
          sid,
          positionNo(position),
          { u2Hash, u3Hash: u2Hash },
          bShares,
          message.zShares,
        );
        return { ...message, bShares, signature: await signer.sign(item) };
      };
    }
  }

  test("[S9] [R10] a wrong share in the opening is named and does not count; spare ones make up for it", async () => {
    // t = 5 of 6, so one wrong share of an owner can be spared.
    const federation = await Federation.create({ devices: 6 });
    lieInOpening(federation, 1);
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    expect([round.phase, round.survivors, round.unmasked]).toEqual(["committed", 6, 6]);
    expect(federation.devices.flatMap((device) => device.refusals)).toEqual([]);
    expect(federation.logged).toContain("shares do not match what was dealt");
  });

  test("[S9] [R10] with more wrong shares of an owner than can be spared the sum stays closed", async () => {
    const federation = await Federation.create({ devices: 6 });
    lieInOpening(federation, 2);
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.until(async () => (await federation.rounds(runId)).length > 1, "the next round");
    const [round] = (await federation.rounds(runId)).sort((left, right) => left.round - right.round);
    expect([round?.phase, round?.code, round?.opened]).toEqual(["voided", "BELOW_T", true]);
  });

  test("[E4] a launch is refused with what to do if nothing would judge the models", async () => {
    const nobody = await Federation.create({ devices: 3, hasHeldOut: false, localFraction: 0 });
    const launch = (federation: Federation) =>
      federation.coordinator.runs.launch({ task: federation.task.slug, rounds: 1 }, "ada");
    expect(await launch(nobody)).toMatchObject({
      error: { code: "CONFLICT", retry: "never", message: expect.stringContaining("Upload held-out rows") },
    });
    // Rows from before sets had names are looked for first, and said to be bad if they are.
    nobody.heldOut.earlier.set("small-v1", Buffer.from("a,b\nbad,2\n"));
    expect(await launch(nobody)).toMatchObject({
      error: { code: "CONFLICT", message: expect.stringContaining("1 of 2 rows do not fit") },
    });
    // A set whose file is gone.
    nobody.heldOut.earlier.clear();
    nobody.db.taskSettings.set("small", { heldOut: { ...FAKE_SET, hash: "ab".repeat(32) as HashHex } });
    expect(await launch(nobody)).toMatchObject({
      error: { code: "CONFLICT", message: expect.stringContaining("gone from the coordinator's disk") },
    });
    const { items } = await nobody.coordinator.runs.listRuns(ALL_READABLE, { limit: 10 });
    expect(items).toEqual([]);
  });

  test("a check-in for another version is told so", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { identity } = present(federation.devices[0], "a device");
    federation.coordinator.devices.deviceUp(identity, "small");
    const reply = await federation.coordinator.devices.onDeviceMessage(identity, {
      type: "check-in",
      taskVersion: 2,
    });
    expect(reply.type === "refused" && reply.error.code).toBe("TASK_VERSION");
  });

  test("[R7] an upload that ends after its slot was closed is refused and deleted, the others stay", async () => {
    const federation = await Federation.create({ devices: 5 });
    const [late, silent] = federation.devices;
    present(late, "a device").goneBefore = "input";
    // t = 4 of 5: without its confirmation the round stays where it is.
    present(silent, "a device").goneBefore = "confirm";
    federation.connectAll();
    const runId = await federation.launch(1);
    const phase = async () => (await federation.run(runId)).currentRound?.phase;
    await federation.until(async () => (await phase()) === "confirming", "confirming");
    const sid = present([...federation.db.sessions.keys()][0], "slots were open");
    const identities = federation.devices.map(({ identity }) => identity).sort();
    const position = identities.indexOf(present(late, "a device").identity) + 1;
    const { spool } = federation.disk;
    expect(spool.size).toBe(4);

    const arrives = async () => {
      // It was admitted while the slot was open; the last byte comes now.
      spool.set(`${sid}/${position}`, new Uint8Array(4));
      const hash = "0".repeat(64);
      const ticket = {
        sid,
        position: positionNo(position),
        byteCount: 4,
        sha256: hash,
        root: hash,
        signature: "",
        receipt: null,
      };
      const receipt = await federation.coordinator.uploads.finishUpload(ticket);
      expect(receipt.ok ? "taken" : receipt.error.code).toBe("SLOT_CLOSED");
      expect(spool.has(`${sid}/${position}`)).toBe(false);
    };
    await arrives();
    expect(spool.size).toBe(4);
    await federation.until(async () => (await phase()) !== "confirming", "the next attempt");
    await arrives();
    await federation.coordinator.runs.stopRun(runId, "test");
    await federation.ended(runId);
    await arrives();
  });

  test("an upload without its slot, with another slot or for a closed one is refused before a byte is read", async () => {
    const federation = await Federation.create({ devices: 4 });
    present(federation.devices[0], "a device").goneBefore = "input";
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.until(
      async () => (await federation.run(runId)).currentRound?.phase === "collecting",
      "collecting",
    );
    const [sid, session] = present([...federation.db.sessions][0], "slots are open");
    expect(session.slots.size).toBe(4);
    const headers = {
      slot: "A".repeat(43),
      sha256: "0".repeat(64),
      root: "0".repeat(64),
      signature: "0".repeat(128),
    };
    const code = async (position: number, ofSid = sid) => {
      const ticket = await federation.coordinator.uploads.beginUpload(
        ofSid,
        positionNo(position),
        headers as never,
      );
      return ticket.ok ? null : ticket.error.code;
    };
    expect([await code(1), await code(9), await code(1, "9".repeat(64))]).toEqual([
      "BAD_SLOT",
      "BAD_SLOT",
      "BAD_SLOT",
    ]);
  });

  test("[W10] a made-up slot costs no look-up and is charged to its address, but not to a device of a live round", async () => {
    const federation = await Federation.create({ devices: 4 });
    present(federation.devices[0], "a device").goneBefore = "input";
    federation.connectAll();
    const runId = await federation.launch(1);
    const phase = async () => (await federation.run(runId)).currentRound?.phase;
    await federation.until(async () => (await phase()) === "collecting", "collecting");
    const [sid] = present([...federation.db.sessions][0], "slots are open");
    const looked: string[] = [];
    federation.away = (name) => {
      if (name === "findSlot" || name === "findInput") looked.push(name);
      return null;
    };
    const hash = "0".repeat(64);
    const headers = { slot: "A".repeat(43), sha256: hash, root: hash, signature: "0".repeat(128) };
    const code = async (ofSid: string, address: string) => {
      const ticket = await federation.coordinator.uploads.beginUpload(
        ofSid,
        positionNo(1),
        headers as never,
        address,
      );
      return ticket.ok ? null : ticket.error.code;
    };
    const codes: (string | null)[] = [];
    for (let sent = 0; sent < LIMITS.wrongSlotsBurstPerAddress + 10; sent++)
      codes.push(await code(sent.toString(16).padStart(64, "0"), "10.0.0.1"));
    // An address is refused once its rate is used up, so one more than that is judged.
    const judged = codes.filter((one) => one === "BAD_SLOT").length;
    expect(judged).toBe(LIMITS.wrongSlotsBurstPerAddress + 1);
    expect(codes.at(-1)).toBe("RATE_LIMITED");
    expect(looked).toEqual([]);
    // Its own slot is judged, whatever its address has sent.
    expect(await code(sid, "10.0.0.1")).toBe("BAD_SLOT");
    expect(await code("9".repeat(64), "10.0.0.2")).toBe("BAD_SLOT");
    federation.clock.advance(60_000);
    expect(await code("9".repeat(64), "10.0.0.1")).toBe("BAD_SLOT");
  });
});
