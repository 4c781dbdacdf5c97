import { describe, expect, test } from "vitest";
import type { EvidenceStore } from "#coordinator/core/ports/store.ts";
import { newHash, type Opened } from "./rows.ts";

export function evidenceContract(opened: Opened<EvidenceStore>): void {
  describe("evidence", () => {
    const evidence = (fill: number) => ({
      salt: new Uint8Array(32).fill(fill),
      words: Uint8Array.of(fill, 0, 255, 7),
    });

    test("[D14] of a session is the first that was saved, byte for byte", async () => {
      const sid = newHash();
      expect(await opened.store.loadEvidence(sid)).toBeNull();
      expect(await opened.store.saveEvidence(sid, evidence(1))).toStrictEqual(evidence(1));
      expect(await opened.store.saveEvidence(sid, evidence(2))).toStrictEqual(evidence(1));
      expect(await opened.store.loadEvidence(sid)).toStrictEqual(evidence(1));
      const none = { salt: new Uint8Array(32), words: new Uint8Array(0) };
      expect(await opened.store.saveEvidence(newHash(), none)).toStrictEqual(none);
    });

    test("[D14] has one box, the first", async () => {
      const sid = newHash();
      await opened.store.saveEvidence(sid, evidence(3));
      expect(await opened.store.loadSealedEvidence(sid)).toBeNull();
      await opened.store.sealEvidence(sid, Uint8Array.of(1, 2));
      await opened.store.sealEvidence(sid, Uint8Array.of(3));
      expect(await opened.store.loadSealedEvidence(sid)).toStrictEqual(Uint8Array.of(1, 2));
      expect(await opened.store.loadEvidence(sid)).toStrictEqual(evidence(3));
      await expect(opened.store.sealEvidence(newHash(), Uint8Array.of(1))).rejects.toThrow();
    });

    test("[D14] is deleted with its box, of one session only", async () => {
      const [gone, kept] = [newHash(), newHash()];
      for (const sid of [gone, kept]) {
        await opened.store.saveEvidence(sid, evidence(4));
        await opened.store.sealEvidence(sid, Uint8Array.of(9));
      }
      await opened.store.deleteEvidence(gone);
      await opened.store.deleteEvidence(gone);
      expect([await opened.store.loadEvidence(gone), await opened.store.loadSealedEvidence(gone)]).toEqual([
        null,
        null,
      ]);
      expect(await opened.store.loadSealedEvidence(kept)).toStrictEqual(Uint8Array.of(9));
    });
  });
}
