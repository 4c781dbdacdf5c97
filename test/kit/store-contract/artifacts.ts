import { describe, expect, test } from "vitest";
import type { EventLog, StoreRecord } from "#coordinator/core/ports/store.ts";
import type { TrackingStore } from "#coordinator/core/ports/tracking-store.ts";
import { event, newHash, newRunId, newSlug, type Opened, runRecord, viewLike, withLeaves } from "./rows.ts";

export function artifactContract(opened: Opened<TrackingStore & EventLog>): void {
  describe("files of experiments", () => {
    test("[L4] a path names one blob; what no row names any more is said", async () => {
      const projectId = newSlug();
      const [one, other] = [newHash(), newHash()];
      const { store } = opened;
      const put = (path: string, blobHash: string) =>
        store.putArtifact(projectId, { path, blobHash, byteCount: 3_000_000_000 });
      expect(await put("1/r/artifacts/a", one)).toBeNull();
      expect(await put("1/r/artifacts/b/c", one)).toBeNull();
      expect(await put("1/r/artifacts-2/c", one)).toBeNull();
      expect(await put("1/r/artifacts/a", other)).toBeNull();
      expect(await put("1/r/artifacts/a", one)).toBe(other);
      expect((await store.listArtifacts(projectId, "1/r/artifacts")).map(({ path }) => path)).toEqual([
        "1/r/artifacts/a",
        "1/r/artifacts/b/c",
      ]);
      expect(await store.findArtifact(projectId, "1/r/artifacts/a")).toEqual({
        path: "1/r/artifacts/a",
        blobHash: one,
        byteCount: 3_000_000_000,
      });
      expect(await store.findArtifact(newSlug(), "1/r/artifacts/a")).toBeNull();
      expect(await store.removeArtifacts(projectId, "1/r/artifacts")).toEqual([]);
      expect(await store.removeArtifacts(projectId, "1/r/artifacts-2/c")).toEqual([one]);
      expect(await store.listArtifacts(projectId, "")).toEqual([]);
    });

    test("[L4] of a folder, blobs that models and reports are named by stay, also reports that came since", async () => {
      const { store } = opened;
      const [projectId, runId] = [newSlug(), newRunId()];
      const [free, model, report, later] = Array.from({ length: 4 }, newHash);
      const append = (sequence: number, reportHash: string | undefined) => {
        const version = { runId, round: sequence, parentHash: null, strategyStateHash: null, metrics: null };
        const fact = { type: "evaluated", reportHash };
        const records: readonly StoreRecord[] = [
          ...(sequence === 1 ? [runRecord(runId, { projectId, task: newSlug(), view: viewLike({}) })] : []),
          {
            type: "model-version",
            version: { ...version, modelHash: sequence === 1 ? (model ?? "") : newHash() },
          },
        ];
        return store.append({ kind: "run", id: runId }, [
          { event: event(sequence, { fact }), records: withLeaves(records) },
        ]);
      };
      const putAll = async () => {
        for (const hash of [free, model, report, later])
          for (const copy of ["a", "b"])
            await store.putArtifact(projectId, {
              path: `f/${hash}/${copy}`,
              blobHash: hash ?? "",
              byteCount: 1,
            });
      };
      expect(await append(1, report)).toMatchObject({ ok: true });
      await putAll();
      expect([...(await store.removeArtifacts(projectId, "f"))].sort()).toEqual([free, later].sort());
      await putAll();
      expect(await append(2, later)).toMatchObject({ ok: true });
      expect(await store.removeArtifacts(projectId, "f")).toEqual([free]);
      expect(await store.listArtifacts(projectId, "")).toEqual([]);
    });
  });
}
