import { describe, expect, test } from "vitest";
import type { Note } from "#coordinator/core/ports/note.ts";
import type { EventLog, RunStore, StoreRecord, StreamId } from "#coordinator/core/ports/store.ts";
import { positionNo } from "../places.ts";
import {
  appendTo,
  collect,
  event,
  newHash,
  newRoundId,
  newRunId,
  noteRecord,
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
        await opened.store.append(stream, [{ event: event(index + 1, body), records: [] }]);
      const stored = await opened.store.readStream(stream);
      expect(stored).toEqual(bodies.map((body, index) => event(index + 1, body)));
      expect(await opened.store.readStream(runStream())).toEqual([]);
    });

    test("[D1] refuses a sequence that is taken, and writes none of its records", async () => {
      const runId = newRunId();
      await append(runStream(runId), 1, [runRecord(runId, { state: "queued" })]);
      const late = await opened.store.append(runStream(runId), [
        {
          event: event(1, { kind: "late" }),
          records: [
            runRecord(runId, { state: "failed" }),
            { type: "audit-leaf", kind: "late.leaf", body: {} },
          ],
        },
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
      await expect(opened.store.append(stream, [{ event: event(3), records: [] }])).rejects.toThrow(
        /follows 1/,
      );
      expect(await opened.store.readStream(stream)).toHaveLength(1);
    });

    test("[D1] takes consecutive events with their records as one, or none of them", async () => {
      const stream = runStream();
      const leafOf = (sequence: number): StoreRecord => {
        return { type: "audit-leaf", kind: `leaf.${stream.id}`, body: { sequence } };
      };
      const entry = (sequence: number) => ({ event: event(sequence), records: [leafOf(sequence)] });
      expect((await opened.store.append(stream, [entry(1), entry(2), entry(3)])).ok).toBe(true);
      await expect(opened.store.append(stream, [entry(4), entry(6)])).rejects.toThrow(/follows 4/);
      const late = await opened.store.append(stream, [entry(3), entry(4)]);
      expect(late).toEqual({ ok: false, error: { type: "sequence-taken" } });
      await append(stream, 4, [leafOf(4)]);
      const stored = await opened.store.readStream(stream);
      expect(stored).toEqual([1, 2, 3, 4].map((sequence) => event(sequence)));
      const leaves = await collect((page) => opened.store.auditLeaves(page), 50);
      const ours = leaves.filter(({ kind }) => kind === `leaf.${stream.id}`);
      expect(ours.map(({ body }) => body)).toEqual([1, 2, 3, 4].map((sequence) => ({ sequence })));
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
        Array.from({ length: 8 }, (_, writer) =>
          opened.store.append(stream, [{ event: event(1, { writer }), records: [] }]),
        ),
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
        { type: "close-slots", sid: newHash(), kept: [positionNo(1)] },
      ];
      await expect(opened.store.append(runStream(runId), [{ event: event(1), records }])).rejects.toThrow(
        /does not have/,
      );
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
          // A writer that fails in between uses up no number.
          await opened.store.append(stream, [{ event: event(1), records: [leaf(writer)] }]);
        }),
      );
      const leaves = await collect((page) => opened.store.auditLeaves(page), 5);
      expect(leaves.map((row) => row.sequence)).toEqual(leaves.map((_, index) => index + 1));
      expect(leaves.length).toBeGreaterThanOrEqual(12);
      // The two leaves of one event are adjacent.
      const ours = leaves.filter((row) => row.kind === "round.opened").map((row) => JSON.stringify(row.body));
      for (let index = 0; index < ours.length; index += 2) expect(ours[index]).toBe(ours[index + 1]);
    });

    test("[D2] notes of a run and of its rounds are listed newest first", async () => {
      const runId = newRunId();
      const roundId = newRoundId();
      const other = newRunId();
      const round: StreamId = { kind: "round", id: roundId };
      await append(runStream(runId), 1, [runRecord(runId), noteRecord("first")]);
      // The row that assigns the round to this run comes after the note.
      await append(round, 1, [noteRecord("second"), roundRecord(roundId, runId, 1)]);
      await append(runStream(other), 1, [runRecord(other), noteRecord("another")]);
      await append(round, 2, [noteRecord("third")]);
      await append(runStream(runId), 2, [noteRecord("fourth")]);
      const notes = await collect((page) => opened.store.listNotes(runId, page), 3);
      expect(notes.map(({ stream, sequence, note }) => [stream, sequence, note.kind])).toEqual([
        [runStream(runId), 2, "fourth"],
        [round, 2, "third"],
        [round, 1, "second"],
        [runStream(runId), 1, "first"],
      ]);
    });

    test("[D2] a note has the time and the sequence of its event; an event without one has no entry", async () => {
      const stream = runStream();
      const details = { round: 2, text: 'a"b\\c\u0000\u2028é', share: 0.25, isLate: false, code: null };
      const note = { kind: "opened", details } as unknown as Note;
      await append(stream, 1);
      await append(stream, 2, [{ type: "note", note }]);
      await append(stream, 3);
      const stored = [{ stream, sequence: 2, at: event(2).at, note }];
      expect(await opened.store.readNotes(stream)).toEqual(stored);
      expect((await opened.store.listNotes(stream.id, { limit: 9 })).items).toEqual(stored);
      expect(await opened.store.readNotes(runStream())).toEqual([]);
      expect(await opened.store.readStream(stream)).toEqual([event(1), event(2), event(3)]);
    });

    test("[D1] a note is written with its event or not at all", async () => {
      const stream = runStream();
      await append(stream, 1);
      const late = await opened.store.append(stream, [{ event: event(1), records: [noteRecord("late")] }]);
      expect(late).toMatchObject({ ok: false });
      const torn: StoreRecord[] = [
        noteRecord("torn"),
        { type: "close-slots", sid: newHash(), kept: [positionNo(1)] },
      ];
      await expect(opened.store.append(stream, [{ event: event(2), records: torn }])).rejects.toThrow(
        /does not have/,
      );
      expect(await opened.store.readNotes(stream)).toEqual([]);
    });
  });
}
