import { describe, expect, test } from "vitest";
import type { TranscriptStore } from "#coordinator/core/store.ts";
import { newHash, newRoundId, newSlug, type Opened } from "./rows.ts";

export function transcriptContract(opened: Opened<TranscriptStore>): void {
  describe("material and transcripts", () => {
    test("[D6] is saved once for a step and position, byte for byte", async () => {
      const sid = newHash();
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      expect(await opened.store.saveMaterial(sid, "share", 3, bytes)).toBe("saved");
      expect(await opened.store.saveMaterial(sid, "share", 3, bytes.slice())).toBe("same");
      expect(await opened.store.saveMaterial(sid, "share", 3, bytes.slice(1))).toBe("different");
      expect(await opened.store.saveMaterial(sid, "share", 3, bytes.toReversed())).toBe("different");
      expect(await opened.store.saveMaterial(sid, "unmask", 3, Uint8Array.of(1))).toBe("saved");
      expect(await opened.store.saveMaterial(sid, "share", 1, new Uint8Array(0))).toBe("saved");
      const shares = await opened.store.loadMaterial(sid, "share");
      expect(new Set(shares.keys())).toEqual(new Set([1, 3]));
      expect(shares.get(3)).toStrictEqual(bytes);
      expect(Object.getPrototypeOf(shares.get(3))).toBe(Uint8Array.prototype);
    });

    test("[D6] is deleted for one session only", async () => {
      const [gone, kept] = [newHash(), newHash()];
      for (const sid of [gone, kept]) await opened.store.saveMaterial(sid, "share", 1, Uint8Array.of(7));
      await opened.store.deleteMaterial(gone);
      expect((await opened.store.loadMaterial(gone, "share")).size).toBe(0);
      expect((await opened.store.loadMaterial(kept, "share")).size).toBe(1);
    });

    test("[D6] [S11] sessions are listed until their material is deleted", async () => {
      const [gone, kept] = [newHash(), newHash()];
      for (const sid of [gone, kept])
        for (const step of ["share", "unmask"] as const)
          await opened.store.saveMaterial(sid, step, 1, Uint8Array.of(7));
      await opened.store.deleteMaterial(gone);
      const listed = (await opened.store.unforgotten()).filter((sid) => sid === gone || sid === kept);
      expect(listed).toEqual([kept]);
    });

    const transcriptOf = (change: { readonly sid?: string; readonly shard?: number } = {}) => {
      const { sid = newHash(), shard = 0 } = change;
      return { sid, roundId: newRoundId(), task: newSlug(), shard, bytes: Uint8Array.of(0, 255, 7) };
    };
    const listed = async () => (await opened.store.listTranscripts()).map(({ sid }) => sid);

    test("[D6] [A5] are kept once, by round and shard, and listed newest first", async () => {
      const [older, newer] = [transcriptOf(), transcriptOf({ shard: 3 })];
      for (const one of [older, newer, older]) await opened.store.saveTranscript(one);
      expect(await opened.store.loadTranscript(older.roundId, 0)).toStrictEqual(older);
      expect(await opened.store.loadTranscript(newer.roundId, 3)).toStrictEqual(newer);
      expect(await opened.store.loadTranscript(newer.roundId, 0)).toBeNull();
      expect(await opened.store.findTranscript(newer.roundId, 3)).toBe(newer.sid);
      expect(await opened.store.findTranscript(newer.roundId, 0)).toBeNull();
      expect((await listed()).slice(0, 2)).toEqual([newer.sid, older.sid]);
      const { bytes: _, ...rest } = newer;
      expect((await opened.store.listTranscripts())[0]).toEqual(rest);
    });

    test("[D6] [A5] openings take the place of the session's material, and go with their transcript", async () => {
      const transcript = transcriptOf();
      const { sid } = transcript;
      await opened.store.saveTranscript(transcript);
      for (const step of ["share", "unmask"] as const)
        await opened.store.saveMaterial(sid, step, 1, Uint8Array.of(9));
      const sealed = new Map([
        [7, Uint8Array.of(1, 2)],
        [2, Uint8Array.of(3)],
      ]);
      await opened.store.keepOpenings(sid, sealed);
      // After a crash there is no material left to seal, and what was sealed stays.
      await opened.store.keepOpenings(sid, new Map());
      expect([...(await opened.store.loadOpenings(sid))]).toStrictEqual([
        [2, Uint8Array.of(3)],
        [7, Uint8Array.of(1, 2)],
      ]);
      expect((await opened.store.loadMaterial(sid, "unmask")).size).toBe(0);
      expect((await opened.store.loadMaterial(sid, "share")).size).toBe(0);
      await opened.store.deleteTranscript(sid);
      expect((await opened.store.loadOpenings(sid)).size).toBe(0);
      expect(await opened.store.loadTranscript(transcript.roundId, 0)).toBeNull();
      expect(await listed()).not.toContain(sid);
    });

    test("[D6] openings without a transcript are a fault", async () => {
      await expect(opened.store.keepOpenings(newHash(), new Map([[1, Uint8Array.of(1)]]))).rejects.toThrow();
    });

    test("[D6] views into a larger buffer are kept as what they show", async () => {
      const frame = Uint8Array.from({ length: 5_000 }, (_, index) => index % 251);
      const part = frame.subarray(100, 200);
      const transcript = { ...transcriptOf(), bytes: part };
      await opened.store.saveMaterial(transcript.sid, "unmask", 1, Buffer.from(frame.buffer, 100, 100));
      expect((await opened.store.loadMaterial(transcript.sid, "unmask")).get(1)).toStrictEqual(part.slice());
      await opened.store.saveTranscript(transcript);
      await opened.store.keepOpenings(transcript.sid, new Map([[4, part]]));
      expect((await opened.store.loadTranscript(transcript.roundId, 0))?.bytes).toStrictEqual(part.slice());
      expect((await opened.store.loadOpenings(transcript.sid)).get(4)).toStrictEqual(part.slice());
    });
  });
}
