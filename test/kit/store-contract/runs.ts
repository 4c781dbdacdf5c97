import { describe, expect, test } from "vitest";
import {
  ALL_READABLE,
  type EventLog,
  type ModelMetrics,
  type RunStore,
  type ShownStore,
  type StoreRecord,
  type TaskStore,
} from "#coordinator/core/ports/store.ts";
import {
  appendTo,
  collect,
  event,
  newHash,
  newRoundId,
  newRunId,
  newSlug,
  type Opened,
  roundRecord,
  runRecord,
  runRow,
  runStream,
  viewLike,
  withLeaves,
} from "./rows.ts";

export function runContract(opened: Opened<EventLog & RunStore & TaskStore & ShownStore>): void {
  const append = appendTo(opened);

  describe("runs, rounds and models", () => {
    test("[D4] a row is what it was last said to be; who made it stays", async () => {
      const runId = newRunId();
      const row = runRow({ state: "queued" });
      await append(runStream(runId), 1, [{ type: "run-row", runId, row }]);
      await append(runStream(runId), 2, [
        { type: "run-row", runId, row: { ...row, state: "running", view: viewLike([1, 2]) } },
      ]);
      expect(await opened.store.findRun(runId)).toEqual({ ...row, state: "running", view: [1, 2] });
      expect(await opened.store.findRun(newRunId())).toBeNull();
    });

    test("[D4] open runs are those that have not ended", async () => {
      const states = ["queued", "running", "paused", "stopping", "completed", "failed"];
      const runIds = new Map<string, string>();
      for (const state of states) {
        const runId = newRunId();
        runIds.set(state, runId);
        await append(runStream(runId), 1, [runRecord(runId, { state })]);
      }
      const open = await opened.store.openRunIds();
      expect(states.filter((state) => open.includes(runIds.get(state) ?? ""))).toEqual([
        "queued",
        "running",
        "paused",
        "stopping",
      ]);
    });

    test("[D4] those that have ended and left a round open are found", async () => {
      const left = new Map<string, string>();
      for (const state of ["running", "evaluating", "completed", "failed"])
        for (const phase of ["recruiting", "unmasking", "committed", "voided", "failed"]) {
          const runId = newRunId();
          left.set(runId, `${state}, ${phase}`);
          await append(runStream(runId), 1, [
            runRecord(runId, { state }),
            roundRecord(newRoundId(), runId, 1, "committed"),
            roundRecord(newRoundId(), runId, 2, phase),
          ]);
        }
      const found = await opened.store.halfEndedRunIds();
      const names = found.map((runId) => left.get(runId)).filter((name) => name !== undefined);
      expect(names.sort()).toEqual([
        "completed, recruiting",
        "completed, unmasking",
        "failed, recruiting",
        "failed, unmasking",
      ]);
    });

    test("[D4] are listed newest first, by task and in pages", async () => {
      const slug = newSlug();
      const created = [5, 9, 7, 9, 1];
      const runs: { runId: string; createdAt: number }[] = [];
      for (const createdAt of created) {
        const runId = newRunId();
        runs.push({ runId, createdAt });
        await append(runStream(runId), 1, [runRecord(runId, { task: slug, createdAt })]);
      }
      await append(runStream(), 1, [runRecord(newRunId(), { task: newSlug(), createdAt: 8 })]);
      const listed = await collect((page) => opened.store.listRuns({ ...ALL_READABLE, task: slug }, page), 2);
      expect(listed.map((run) => run.createdAt)).toEqual([9, 9, 7, 5, 1]);
      expect(new Set(listed.map((run) => run.runId))).toEqual(new Set(runs.map((run) => run.runId)));
      const everyone = await collect((page) => opened.store.listRuns(ALL_READABLE, page), 7);
      expect(everyone.length).toBeGreaterThan(listed.length);
      expect(new Set(everyone.map((run) => run.runId)).size).toBe(everyone.length);
    });

    test("[D4] numbers count the runs of a task from 1, each given once", async () => {
      const slug = newSlug();
      expect(await opened.store.nextRunNumber(slug)).toBe(1);
      const numbers = await Promise.all(Array.from({ length: 5 }, () => opened.store.nextRunNumber(slug)));
      expect(new Set(numbers)).toEqual(new Set([2, 3, 4, 5, 6]));
      expect(await opened.store.nextRunNumber(newSlug())).toBe(1);
    });

    test("[D4] rounds are listed in their order", async () => {
      const runId = newRunId();
      const roundIds = new Map<number, string>();
      for (const round of [2, 1, 10, 3]) {
        const roundId = newRoundId();
        roundIds.set(round, roundId);
        await append({ kind: "round", id: roundId }, 1, [roundRecord(roundId, runId, round)]);
      }
      await append({ kind: "round", id: roundIds.get(10) ?? "" }, 2, [
        roundRecord(roundIds.get(10) ?? "", runId, 10, "committed"),
      ]);
      const rounds = await collect((page) => opened.store.listRounds(runId, page), 3);
      expect(rounds.map((row) => row.round)).toEqual([1, 2, 3, 10]);
      expect(rounds[3]).toEqual({
        roundId: roundIds.get(10),
        runId,
        round: 10,
        phase: "committed",
        view: { round: 10 },
      });
      expect(await opened.store.findRound(roundIds.get(2) ?? "")).toEqual({
        runId,
        round: 2,
        phase: "recruiting",
        view: { round: 2 },
      });
      expect(await opened.store.findRound(newRoundId())).toBeNull();
      expect(await opened.store.showRound(roundIds.get(2) ?? "")).toMatchObject({ round: 2 });
    });

    test("[D2] a cursor that no page gave is the end of the list, not an error", async () => {
      const runId = newRunId();
      const roundId = newRoundId();
      await append(runStream(runId), 1, [runRecord(runId)]);
      await append({ kind: "round", id: roundId }, 1, [roundRecord(roundId, runId, 1)]);
      for (const cursor of ["", "x", "-1", "1e400", "99999999999999999999", "' or 1=1", "\u0000", "../.."]) {
        for (const list of [
          opened.store.listRuns(ALL_READABLE, { limit: 5, cursor }),
          opened.store.listRounds(runId, { limit: 5, cursor }),
          opened.store.listNotes(runId, { limit: 5, cursor }),
        ]) {
          expect(await list).toEqual({ items: [], next: null });
        }
        await opened.store.listTasks(ALL_READABLE, { limit: 5, cursor });
        await opened.store.auditLeaves({ limit: 5, cursor });
      }
    });

    test("[D4] the first offer and the first opening of a model stand", async () => {
      const [first, second] = [newRunId(), newRunId()];
      const modelHash = newHash();
      const [sid, later] = [newHash(), newHash()];
      expect(await opened.store.findOffer(modelHash)).toBeNull();
      await append(runStream(first), 1, [{ type: "model-offered", modelHash, runId: first }]);
      expect(await opened.store.findOffer(modelHash)).toEqual({ runId: first, openedSid: null });
      await append(runStream(second), 1, [{ type: "model-offered", modelHash, runId: second }]);
      await append(runStream(first), 2, [{ type: "model-opened", modelHash, sid }]);
      await append(runStream(second), 2, [{ type: "model-opened", modelHash, sid: later }]);
      expect(await opened.store.findOffer(modelHash)).toEqual({ runId: first, openedSid: sid });
    });

    test("[D4] versions stand in the order of their rounds; metrics may follow, the model does not change", async () => {
      const runId = newRunId();
      const version = (
        round: number,
        metrics: ModelMetrics | null,
        modelHash = `${round}`.repeat(64),
      ): StoreRecord => ({
        type: "model-version",
        version: { runId, round, modelHash, parentHash: null, strategyStateHash: null, metrics },
      });
      await append(runStream(runId), 1, [version(1, null), version(0, { updateNormL2: 0.1 })]);
      await append(runStream(runId), 2, [version(1, { updateNormL2: 0.5 })]);
      const versions = await opened.store.listModelVersions(runId);
      expect(versions.map((row) => [row.round, row.metrics])).toEqual([
        [0, { updateNormL2: 0.1 }],
        [1, { updateNormL2: 0.5 }],
      ]);
      await expect(
        opened.store.append(runStream(runId), [
          { event: event(3), records: withLeaves([version(1, {}, newHash())]) },
        ]),
      ).rejects.toThrow(/another model/);
      expect((await opened.store.listModelVersions(runId))[1]?.modelHash).toBe("1".repeat(64));
    });
  });
}
