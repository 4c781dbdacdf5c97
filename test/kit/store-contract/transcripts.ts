import { describe, expect, test } from "vitest";
import type { EventLog, StoreRecord, TranscriptStore } from "#coordinator/core/ports/store.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { positionNo } from "../places.ts";
import {
  event,
  newHash,
  newRoundId,
  newRunId,
  newSlug,
  type Opened,
  roundRecord,
  runStream,
  saveMaterial,
} from "./rows.ts";

export function transcriptContract(opened: Opened<EventLog & TranscriptStore>): void {
  describe("material and transcripts", () => {
    test("[D6] is kept for a step and position, byte for byte", async () => {
      const sid = newHash();
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      await saveMaterial(opened.store, sid, "share", 3, bytes);
      await saveMaterial(opened.store, sid, "unmask", 3, Uint8Array.of(1));
      await saveMaterial(opened.store, sid, "share", 1, new Uint8Array(0));
      const shares = await opened.store.loadMaterial(sid, "share");
      expect(new Set(shares.keys())).toEqual(new Set([1, 3]));
      expect(shares.get(positionNo(3))).toStrictEqual(bytes);
      expect(Object.getPrototypeOf(shares.get(positionNo(3)))).toBe(Uint8Array.prototype);
    });

    test("[D6] is written with its event, or not at all", async () => {
      const [stream, sid] = [runStream(), newHash()];
      const material = (bytes: Bytes): StoreRecord => ({
        ...{ type: "material", sid, step: "share", position: positionNo(1), bytes },
      });
      const sent = Uint8Array.of(1, 2);
      expect((await opened.store.append(stream, [{ event: event(1), records: [material(sent)] }])).ok).toBe(
        true,
      );
      const late = await opened.store.append(stream, [
        { event: event(1), records: [material(Uint8Array.of(3))] },
      ]);
      expect(late).toEqual({ ok: false, error: { type: "sequence-taken" } });
      const broken: StoreRecord = { type: "close-slots", sid: newHash(), kept: [positionNo(1)] };
      const records = [material(Uint8Array.of(4)), broken];
      await expect(opened.store.append(stream, [{ event: event(2), records }])).rejects.toThrow(
        /does not have/,
      );
      expect(await opened.store.loadMaterial(sid, "share")).toStrictEqual(new Map([[1, sent]]));
      expect(await opened.store.readStream(stream)).toHaveLength(1);
    });

    test("[D6] takes the place of bytes without an event, as earlier versions could leave them", async () => {
      const sid = newHash();
      for (const byte of [1, 2]) await saveMaterial(opened.store, sid, "share", 1, Uint8Array.of(byte));
      expect((await opened.store.loadMaterial(sid, "share")).get(positionNo(1))).toStrictEqual(
        Uint8Array.of(2),
      );
    });

    test("[D6] is deleted for one session only", async () => {
      const [gone, kept] = [newHash(), newHash()];
      for (const sid of [gone, kept]) await saveMaterial(opened.store, sid, "share", 1, Uint8Array.of(7));
      await opened.store.deleteMaterial(gone);
      expect((await opened.store.loadMaterial(gone, "share")).size).toBe(0);
      expect((await opened.store.loadMaterial(kept, "share")).size).toBe(1);
    });

    test("[D6] [S11] sessions are listed until their material is deleted", async () => {
      const [gone, kept] = [newHash(), newHash()];
      for (const sid of [gone, kept])
        for (const step of ["share", "unmask"] as const)
          await saveMaterial(opened.store, sid, step, 1, Uint8Array.of(7));
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
      const first = async () => (await opened.store.listTranscripts())[0];
      expect(await first()).toEqual({ ...rest, phase: null });
      const row = roundRecord(newer.roundId, newRunId(), 1, "committed");
      await opened.store.append({ kind: "round", id: newer.roundId }, [{ event: event(1), records: [row] }]);
      expect(await first()).toEqual({ ...rest, phase: "committed" });
    });

    test("[D6] [A5] openings take the place of the session's material, and go with their transcript", async () => {
      const transcript = transcriptOf();
      const { sid } = transcript;
      await opened.store.saveTranscript(transcript);
      for (const step of ["share", "unmask"] as const)
        await saveMaterial(opened.store, sid, step, 1, Uint8Array.of(9));
      const sealed = new Map([
        [positionNo(7), Uint8Array.of(1, 2)],
        [positionNo(2), Uint8Array.of(3)],
      ]);
      await opened.store.keepOpenings(sid, sealed);
      // After a crash no material is left to seal, and what was sealed stays.
      await opened.store.keepOpenings(sid, new Map());
      expect([...(await opened.store.loadOpenings(sid))]).toStrictEqual([
        [positionNo(2), Uint8Array.of(3)],
        [positionNo(7), Uint8Array.of(1, 2)],
      ]);
      expect((await opened.store.loadMaterial(sid, "unmask")).size).toBe(0);
      expect((await opened.store.loadMaterial(sid, "share")).size).toBe(0);
      await opened.store.deleteTranscript(sid);
      expect((await opened.store.loadOpenings(sid)).size).toBe(0);
      expect(await opened.store.loadTranscript(transcript.roundId, 0)).toBeNull();
      expect(await listed()).not.toContain(sid);
    });

    test("[D6] openings without a transcript are a fault", async () => {
      await expect(
        opened.store.keepOpenings(newHash(), new Map([[positionNo(1), Uint8Array.of(1)]])),
      ).rejects.toThrow();
    });

    test("[D6] views into a larger buffer are kept as what they show", async () => {
      const frame = Uint8Array.from({ length: 5_000 }, (_, index) => index % 251);
      const part = frame.subarray(100, 200);
      const transcript = { ...transcriptOf(), bytes: part };
      await saveMaterial(opened.store, transcript.sid, "unmask", 1, Buffer.from(frame.buffer, 100, 100));
      expect((await opened.store.loadMaterial(transcript.sid, "unmask")).get(positionNo(1))).toStrictEqual(
        part.slice(),
      );
      await opened.store.saveTranscript(transcript);
      await opened.store.keepOpenings(transcript.sid, new Map([[positionNo(4), part]]));
      expect((await opened.store.loadTranscript(transcript.roundId, 0))?.bytes).toStrictEqual(part.slice());
      expect((await opened.store.loadOpenings(transcript.sid)).get(positionNo(4))).toStrictEqual(
        part.slice(),
      );
    });
  });
}
