import { describe, expect, test } from "vitest";
import type { EventLog, InputRow, StoreRecord, UploadStore } from "#coordinator/core/store.ts";
import { appendTo, event, newHash, type Opened, runStream } from "./rows.ts";

export function uploadContract(opened: Opened<EventLog & UploadStore>): void {
  const append = appendTo(opened);

  describe("uploads", () => {
    async function openSession(count = 3): Promise<string> {
      const sid = newHash();
      const slots = Array.from({ length: count }, (_, index) => ({
        position: index + 1,
        slotHash: `a${index}`.repeat(32),
      }));
      await append(runStream(), 1, [{ type: "open-slots", sid, byteCount: 400, slots }]);
      return sid;
    }
    const input = (sid: string, position: number, sha256 = newHash()): InputRow => ({
      sid,
      position,
      sha256,
      root: newHash(),
      signature: "ab".repeat(64),
      byteCount: 400,
    });
    const close = (sid: string, kept: readonly number[]) =>
      append(runStream(), 1, [{ type: "close-slots", sid, kept }]);

    test("[D5] a slot is known until its session closes", async () => {
      const sid = await openSession();
      expect(await opened.store.findSlot(sid, 2)).toEqual({
        slotHash: "a1".repeat(32),
        byteCount: 400,
        open: true,
      });
      expect(await opened.store.findSlot(sid, 4)).toBeNull();
      expect(await opened.store.findSlot(newHash(), 1)).toBeNull();
      await close(sid, []);
      expect((await opened.store.findSlot(sid, 2))?.open).toBe(false);
    });

    test("[D5] an input counts once: the same again gets its receipt, another is a conflict", async () => {
      const sid = await openSession();
      const first = input(sid, 1);
      const receipt = { sid, position: 1, sha256: first.sha256, byteCount: 400 };
      expect(await opened.store.acceptInput(first)).toEqual({ ok: true, value: receipt });
      expect(await opened.store.acceptInput(first)).toEqual({ ok: true, value: receipt });
      expect(await opened.store.acceptInput(input(sid, 1))).toEqual({
        ok: false,
        error: { type: "conflict" },
      });
      expect(await opened.store.listInputs(sid)).toEqual([first]);
      expect(await opened.store.findInput(sid, 1)).toEqual(first);
      expect(await opened.store.findInput(sid, 2)).toBeNull();
    });

    test("[D5] after the sealing nothing new is taken, and only the kept are left", async () => {
      const sid = await openSession();
      const [second, third] = [input(sid, 2), input(sid, 3)];
      for (const row of [third, second]) expect((await opened.store.acceptInput(row)).ok).toBe(true);
      await close(sid, [2]);
      expect(await opened.store.listInputs(sid)).toEqual([second]);
      expect(await opened.store.acceptInput(input(sid, 1))).toEqual({ ok: false, error: { type: "closed" } });
      expect(await opened.store.acceptInput(third)).toEqual({ ok: false, error: { type: "closed" } });
      expect((await opened.store.acceptInput(second)).ok).toBe(true);
      expect(await opened.store.listInputs(sid)).toEqual([second]);
    });

    test("[D5] an unknown session or position is closed", async () => {
      const sid = await openSession();
      for (const row of [input(sid, 9), input(newHash(), 1)]) {
        expect(await opened.store.acceptInput(row)).toEqual({ ok: false, error: { type: "closed" } });
      }
    });

    test("[D5] a survivor set holds accepted inputs only", async () => {
      const sid = await openSession();
      await opened.store.acceptInput(input(sid, 1));
      const closing: StoreRecord = { type: "close-slots", sid, kept: [1, 2] };
      await expect(opened.store.append(runStream(), event(1), [closing])).rejects.toThrow(
        /does not have:? 2/,
      );
      expect((await opened.store.findSlot(sid, 1))?.open).toBe(true);
    });

    test("[D5] inputs that race with the sealing are in before it or refused, never lost", async () => {
      for (let attempt = 0; attempt < 5; attempt++) {
        const sid = await openSession(12);
        await opened.store.acceptInput(input(sid, 1));
        const racing = Array.from({ length: 11 }, (_, index) =>
          opened.store.acceptInput(input(sid, index + 2)),
        );
        const sealing = close(sid, [1]);
        const results = await Promise.all(racing);
        await sealing;
        // What was taken before the sealing was dropped by it, since it is not kept; nothing came in after.
        expect((await opened.store.listInputs(sid)).map((row) => row.position)).toEqual([1]);
        for (const result of results) if (!result.ok) expect(result.error.type).toBe("closed");
      }
    });

    test("[D5] of ten thousand devices open and close like those of three", async () => {
      const sid = await openSession(10_000);
      expect(await opened.store.findSlot(sid, 10_000)).toMatchObject({ open: true });
      for (const position of [1, 2, 9_999]) await opened.store.acceptInput(input(sid, position));
      await close(sid, [2, 9_999]);
      expect((await opened.store.listInputs(sid)).map((row) => row.position)).toEqual([2, 9_999]);
    });
  });
}
