import { describe, expect, test } from "vitest";
import type { EventLog, InputRow, StoreRecord, UploadStore } from "#coordinator/core/ports/store.ts";
import { positionNo } from "../places.ts";
import { appendTo, event, newHash, type Opened, runStream } from "./rows.ts";

export function uploadContract(opened: Opened<EventLog & UploadStore>): void {
  const append = appendTo(opened);

  describe("uploads", () => {
    async function openSession(count = 3): Promise<string> {
      const sid = newHash();
      const slots = Array.from({ length: count }, (_, index) => ({
        position: positionNo(index + 1),
        slotHash: `a${index}`.repeat(32),
      }));
      await append(runStream(), 1, [{ type: "open-slots", sid, byteCount: 400, slots }]);
      return sid;
    }
    const input = (sid: string, position: number, sha256 = newHash()): InputRow => ({
      sid,
      position: positionNo(position),
      sha256,
      root: newHash(),
      signature: "ab".repeat(64),
      byteCount: 400,
    });
    const take = (row: InputRow) => append(runStream(), 1, [{ type: "input", input: row }]);
    const expectRefused = (row: InputRow, reason: RegExp) => expect(take(row)).rejects.toThrow(reason);
    const close = (sid: string, kept: readonly number[]) =>
      append(runStream(), 1, [{ type: "close-slots", sid, kept: kept.map(positionNo) }]);

    test("[D5] a slot is known until its session closes", async () => {
      const sid = await openSession();
      expect(await opened.store.findSlot(sid, positionNo(2))).toEqual({
        slotHash: "a1".repeat(32),
        byteCount: 400,
        open: true,
      });
      expect(await opened.store.findSlot(sid, positionNo(4))).toBeNull();
      expect(await opened.store.findSlot(newHash(), positionNo(1))).toBeNull();
      await close(sid, []);
      expect((await opened.store.findSlot(sid, positionNo(2)))?.open).toBe(false);
    });

    test("[D5] an input is taken once, with its event or not at all", async () => {
      const sid = await openSession();
      const [first, second] = [input(sid, 1), input(sid, 2)];
      const stream = runStream();
      await append(stream, 1, [{ type: "input", input: first }]);
      for (const row of [first, input(sid, 1)]) await expect(take(row)).rejects.toThrow();
      const late = await opened.store.append(stream, [
        { event: event(1), records: [{ type: "input", input: second }] },
      ]);
      expect(late).toEqual({ ok: false, error: { type: "sequence-taken" } });
      expect(await opened.store.listInputs(sid)).toEqual([first]);
      expect(await opened.store.findInput(sid, positionNo(1))).toEqual(first);
      expect(await opened.store.findInput(sid, positionNo(2))).toBeNull();
      expect(await opened.store.readStream(stream)).toHaveLength(1);
    });

    test("[D5] after the sealing nothing is taken, and only the kept are left", async () => {
      const sid = await openSession();
      const [second, third] = [input(sid, 2), input(sid, 3)];
      for (const row of [third, second]) await take(row);
      await close(sid, [2]);
      expect(await opened.store.listInputs(sid)).toEqual([second]);
      for (const row of [input(sid, 1), third, second]) await expectRefused(row, /no open slot/);
      expect(await opened.store.listInputs(sid)).toEqual([second]);
    });

    test("[D5] the last input is taken with the event that seals the set", async () => {
      const sid = await openSession();
      const [first, last] = [input(sid, 1), input(sid, 2)];
      await take(first);
      await append(runStream(), 1, [
        { type: "input", input: last },
        { type: "close-slots", sid, kept: [positionNo(1), positionNo(2)] },
      ]);
      expect(await opened.store.listInputs(sid)).toEqual([first, last]);
    });

    test("[D5] an unknown session or position has no slot", async () => {
      const sid = await openSession();
      for (const row of [input(sid, 9), input(newHash(), 1)]) await expectRefused(row, /no open slot/);
    });

    test("[D5] a survivor set holds accepted inputs only", async () => {
      const sid = await openSession();
      await take(input(sid, 1));
      const closing: StoreRecord = { type: "close-slots", sid, kept: [positionNo(1), positionNo(2)] };
      await expect(
        opened.store.append(runStream(), [{ event: event(1), records: [closing] }]),
      ).rejects.toThrow(/does not have:? 2/);
      expect((await opened.store.findSlot(sid, positionNo(1)))?.open).toBe(true);
    });

    test("[D5] inputs that race with the sealing are in before it or refused, never lost", async () => {
      for (let attempt = 0; attempt < 5; attempt++) {
        const sid = await openSession(12);
        await take(input(sid, 1));
        const racing = Promise.allSettled(
          Array.from({ length: 11 }, (_, index) => take(input(sid, index + 2))),
        );
        const sealing = close(sid, [1]);
        const results = await racing;
        await sealing;
        // The sealing dropped what was accepted before it, because it is not kept; nothing was accepted after.
        expect((await opened.store.listInputs(sid)).map((row) => row.position)).toEqual([1]);
        for (const result of results)
          if (result.status === "rejected") expect(String(result.reason)).toMatch(/no open slot/);
      }
    });

    test("[D5] of ten thousand devices open and close like those of three", async () => {
      const sid = await openSession(10_000);
      expect(await opened.store.findSlot(sid, positionNo(10_000))).toMatchObject({ open: true });
      for (const position of [1, 2, 9_999]) await take(input(sid, position));
      await close(sid, [2, 9_999]);
      expect((await opened.store.listInputs(sid)).map((row) => row.position)).toEqual([2, 9_999]);
    });
  });
}
