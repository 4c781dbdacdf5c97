import { describe, expect, test } from "vitest";
import type { EventLog, RunStore, StoreRecord } from "#coordinator/core/store.ts";
import {
  appendTo,
  collect,
  event,
  newHash,
  newRoundId,
  newRunId,
  type Opened,
  roundRecord,
  runRecord,
  runStream,
} from "./rows.ts";

export function eventLogContract(opened: Opened<EventLog & RunStore>): void {
  const append = appendTo(opened);

  describe("the event log", () => {
    test("[D1] gives back what was appended, in order", async () => {
      const stream = runStream();
      const bodies = [
        { kind: "started", list: [1, [2]], text: 'a"b\\c\u0000\u2028é' },
        { deep: { x: null } },
      ];
      for (const [index, body] of bodies.entries())
        await opened.store.append(stream, event(index + 1, body), []);
      const stored = await opened.store.readStream(stream);
      expect(stored).toEqual(bodies.map((body, index) => event(index + 1, body)));
      expect(await opened.store.readStream(runStream())).toEqual([]);
    });

    test("[D1] refuses a sequence that is taken, and writes none of its records", async () => {
      const runId = newRunId();
      await append(runStream(runId), 1, [runRecord(runId, { state: "queued" })]);
      const late = await opened.store.append(runStream(runId), event(1, { kind: "late" }), [
        runRecord(runId, { state: "failed" }),
        { type: "audit-leaf", kind: "late.leaf", body: {} },
      ]);
      expect(late).toEqual({ ok: false, error: { type: "sequence-taken" } });
      expect((await opened.store.findRun(runId))?.state).toBe("queued");
      expect(await opened.store.readStream(runStream(runId))).toHaveLength(1);
      const leaves = await collect((page) => opened.store.auditLeaves(page), 50);
      expect(leaves.map((leaf) => leaf.kind)).not.toContain("late.leaf");
    });

    test("[D1] has no gaps: a sequence that skips one is a fault", async () => {
      const stream = runStream();
      await append(stream, 1);
      await expect(opened.store.append(stream, event(3), [])).rejects.toThrow(/follows 1/);
      expect(await opened.store.readStream(stream)).toHaveLength(1);
    });

    test("[D1] has two streams for one id, one a kind", async () => {
      const id = newRunId();
      await append({ kind: "run", id }, 1);
      await append({ kind: "round", id }, 1);
      expect(await opened.store.readStream({ kind: "round", id })).toHaveLength(1);
    });

    test("[D1] takes one of many writers who race for a sequence", async () => {
      const stream = runStream();
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, writer) => opened.store.append(stream, event(1, { writer }), [])),
      );
      expect(results.filter((result) => result.ok)).toHaveLength(1);
      const winner = results.findIndex((result) => result.ok);
      expect(await opened.store.readStream(stream)).toEqual([event(1, { writer: winner })]);
    });

    test("[D1] writes nothing at all if one record cannot be written", async () => {
      const runId = newRunId();
      const records: StoreRecord[] = [
        runRecord(runId),
        { type: "audit-leaf", kind: "half.leaf", body: {} },
        { type: "close-slots", sid: newHash(), kept: [1] },
      ];
      await expect(opened.store.append(runStream(runId), event(1), records)).rejects.toThrow(/does not have/);
      expect(await opened.store.findRun(runId)).toBeNull();
      expect(await opened.store.readStream(runStream(runId))).toEqual([]);
      const leaves = await collect((page) => opened.store.auditLeaves(page), 50);
      expect(leaves.map((leaf) => leaf.kind)).not.toContain("half.leaf");
    });

    test("[D1] leaves are numbered from 1 without a gap, whoever writes at once", async () => {
      const leaf = (writer: number): StoreRecord => ({
        type: "audit-leaf",
        kind: "round.opened",
        body: { z: 1, a: [writer] },
      });
      await Promise.all(
        Array.from({ length: 6 }, async (_, writer) => {
          const stream = runStream();
          await append(stream, 1, [leaf(writer), leaf(writer)]);
          // A writer that fails in between takes no number with it.
          await opened.store.append(stream, event(1), [leaf(writer)]);
        }),
      );
      const leaves = await collect((page) => opened.store.auditLeaves(page), 5);
      expect(leaves.map((row) => row.sequence)).toEqual(leaves.map((_, index) => index + 1));
      expect(leaves.length).toBeGreaterThanOrEqual(12);
      // Two leaves of one event stand side by side.
      const ours = leaves.filter((row) => row.kind === "round.opened").map((row) => JSON.stringify(row.body));
      for (let index = 0; index < ours.length; index += 2) expect(ours[index]).toBe(ours[index + 1]);
    });

    test("[D2] events of a run and of its rounds are listed newest first", async () => {
      const runId = newRunId();
      const roundId = newRoundId();
      const other = newRunId();
      await append(runStream(runId), 1, [runRecord(runId)]);
      await append({ kind: "round", id: roundId }, 1, [roundRecord(roundId, runId, 1)]);
      await append(runStream(other), 1, [runRecord(other)]);
      await append({ kind: "round", id: roundId }, 2);
      await append(runStream(runId), 2);
      const events = await collect((page) => opened.store.listEvents(runId, page), 3);
      expect(events.map(({ stream, stored }) => `${stream.kind} ${stream.id} ${stored.sequence}`)).toEqual([
        `run ${runId} 2`,
        `round ${roundId} 2`,
        `round ${roundId} 1`,
        `run ${runId} 1`,
      ]);
      expect(events[0]?.stored).toEqual(event(2));
    });

    test("[D2] lists no event that people are not shown, and keeps it in its stream", async () => {
      const stream = runStream();
      const bodies = [
        { fact: 1, note: { kind: "opened" } },
        { fact: 2, note: null },
        { fact: 3, note: { kind: "ended" } },
      ];
      for (const [index, body] of bodies.entries())
        await opened.store.append(stream, event(index + 1, body), []);
      const listed = await collect((page) => opened.store.listEvents(stream.id, page), 1);
      expect(listed.map(({ stored }) => stored.sequence)).toEqual([3, 1]);
      expect((await opened.store.readShown(stream)).map(({ sequence }) => sequence)).toEqual([1, 3]);
      expect(await opened.store.readStream(stream)).toHaveLength(3);
    });
  });
}
