import { assertLeaves } from "#coordinator/core/audit/owed-leaves.ts";
import type {
  Store,
  StoredEvent,
  StoredNote,
  StoredTask,
  StoreRecord,
  StreamId,
  TaskRow,
  UploadStore,
} from "#coordinator/core/ports/ports.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { taskSettingsSchema } from "#shared/task/settings.ts";
import { isReadable, memoryAccess, projectOfStream } from "./memory-access.ts";
import {
  checkAll,
  hasTask,
  jsonCopy,
  type MemoryDatabase,
  memoryDatabase,
  write,
} from "./memory-database.ts";
import { memoryLeaves } from "./memory-leaves.ts";
import { recordOwn } from "./memory-own-runs.ts";
import { paged } from "./memory-pages.ts";
import { memoryModelInUse, memoryRegistry } from "./memory-registry.ts";
import { trackingOf } from "./memory-tracking.ts";
import { memoryTranscripts } from "./memory-transcripts.ts";

const oneTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A `Store` over a value.
 *
 * @param turn  Awaited before each call does anything. By default one turn of the event loop, so that nothing relies on
 * instant calls; a simulation passes its own clock.
 */
export function memoryStore(db: MemoryDatabase = memoryDatabase(), turn: Turn = oneTurn): Store {
  const lastOf = (stream: StreamId) =>
    db.log.reduce(
      (last, entry) => (sameStream(entry.stream, stream) ? Math.max(last, entry.sequence) : last),
      0,
    );
  const push = (stream: StreamId, event: StoredEvent, records: readonly StoreRecord[]) => {
    for (const record of records) {
      write(db, record, { at: event.at, projectId: projectOfStream(db, stream) });
      recordOwn(db, record, event.at);
      if (record.type === "open-slots" || record.type === "material")
        db.projects.set(record.sid, projectOfStream(db, stream));
    }
    const { sequence, at } = event;
    db.log.push({ stream, sequence, at, body: JSON.stringify(event.event) });
    const runId = stream.kind === "run" ? stream.id : (db.rounds.get(stream.id)?.runId ?? null);
    for (const record of records)
      if (record.type === "note") db.notes.push({ stream, runId, sequence, at, note: jsonCopy(record.note) });
  };
  const store: Store = {
    kind: "embedded",
    append: async (stream, entries) => {
      await turn();
      const last = lastOf(stream);
      for (const [index, { event }] of entries.entries()) {
        if (event.sequence <= last) return err({ type: "sequence-taken" });
        const before = last + index;
        assert(event.sequence === before + 1, `event ${event.sequence} follows ${before}`);
      }
      checkAll(
        db,
        entries.flatMap(({ records }) => records),
      );
      for (const { records } of entries) assertLeaves(records);
      for (const { event, records } of entries) push(stream, event, records);
      return ok(undefined);
    },
    appendNext: async (stream, event, records) => {
      await turn();
      const sequence = lastOf(stream) + 1;
      if (records.some((record) => record.type === "task-row" && hasTask(db, record.row)))
        return err({ type: "exists" });
      checkAll(db, records);
      assertLeaves(records);
      push(stream, { ...event, sequence }, records);
      return ok(sequence);
    },
    readStream: async (stream) => {
      await turn();
      return db.log.filter((entry) => sameStream(entry.stream, stream)).map(storedEvent);
    },
    readNotes: async (stream) => {
      await turn();
      return db.notes.filter((entry) => sameStream(entry.stream, stream)).map(storedNote);
    },
    openRunIds: async () => {
      await turn();
      const open = [...db.runs].filter(([, row]) => row.state !== "completed" && row.state !== "failed");
      return open.sort(([, left], [, right]) => left.createdAt - right.createdAt).map(([runId]) => runId);
    },
    halfEndedRunIds: async () => {
      await turn();
      const isOver = (state = "") => ["committed", "voided", "completed", "failed"].includes(state);
      const open = [...db.rounds.values()].filter((round) => !isOver(round.phase));
      return [...new Set(open.map(({ runId }) => runId))].filter((runId) =>
        isOver(db.runs.get(runId)?.state),
      );
    },
    findTask: async (slug, version) => {
      await turn();
      const all = db.tasks.filter((stored) => stored.task.slug === slug);
      const sorted = all.sort((left, right) => right.task.version - left.task.version);
      const found =
        version === undefined ? sorted[0] : sorted.find((stored) => stored.task.version === version);
      return found === undefined ? null : withNewest(db, found);
    },
    listTaskVersions: async (slug) => {
      await turn();
      const versions = db.tasks.filter(({ task }) => task.slug === slug).map(({ task }) => task.version);
      return versions.sort((left, right) => left - right);
    },
    listTasks: async (readable, page) => {
      await turn();
      const newest = new Map<string, TaskRow>();
      for (const stored of db.tasks) {
        if (!isReadable(db, readable, { projectId: stored.projectId, slug: stored.task.slug })) continue;
        const settings = taskSettingsSchema.parse(db.taskSettings.get(stored.task.slug) ?? {});
        if (settings.archived !== null && readable.archived !== true) continue;
        const known = newest.get(stored.task.slug);
        if (known === undefined || known.task.version < stored.task.version)
          newest.set(stored.task.slug, stored);
      }
      const sorted = [...newest.values()].sort((left, right) => (left.task.slug < right.task.slug ? -1 : 1));
      const list = paged(sorted, page, (stored) => stored.task.slug);
      return { ...list, items: list.items.map((stored) => withNewest(db, stored)) };
    },
    listVersions: async (slug, page) => {
      await turn();
      const all = db.tasks.filter((stored) => stored.task.slug === slug);
      const sorted = all.sort((left, right) => right.task.version - left.task.version);
      const list = paged(sorted, page, (stored) => String(stored.task.version));
      return { ...list, items: list.items.map((stored) => withNewest(db, stored)) };
    },
    nextRunNumber: async (task) => {
      await turn();
      const number = (db.counters.get(task) ?? 0) + 1;
      db.counters.set(task, number);
      return number;
    },
    findRun: async (runId) => {
      await turn();
      return db.runs.get(runId) ?? null;
    },
    listRuns: async (filter, page) => {
      await turn();
      const rows = [...db.runs].map(([runId, row]) => ({ runId, ...row }));
      const wanted = rows.filter(
        (row) =>
          (filter.task === undefined || row.task === filter.task) &&
          isReadable(db, filter, { projectId: row.projectId, slug: row.task }),
      );
      return paged(wanted.sort(newestFirst), page, (row) => row.runId);
    },
    findRound: async (roundId) => {
      await turn();
      return db.rounds.get(roundId) ?? null;
    },
    listRounds: async (runId, page) => {
      await turn();
      const rows = [...db.rounds]
        .map(([roundId, row]) => ({ roundId, ...row }))
        .filter((row) => row.runId === runId);
      return paged(
        rows.sort((left, right) => left.round - right.round),
        page,
        (row) => String(row.round),
      );
    },
    listNotes: async (runId, page) => {
      await turn();
      const entries = db.notes
        .map((entry, index) => ({ entry, index }))
        .filter(({ entry }) => entry.runId === runId);
      const { items, next } = paged(entries.reverse(), page, ({ index }) => String(index));
      return { items: items.map(({ entry }) => storedNote(entry)), next };
    },
    listModelVersions: async (runId) => {
      await turn();
      return db.versions
        .filter((version) => version.runId === runId)
        .sort((left, right) => left.round - right.round);
    },
    findOffer: async (modelHash) => {
      await turn();
      return db.offers.get(modelHash) ?? null;
    },
    showTask: (slug, version) => store.findTask(slug, version),
    showRun: (runId) => store.findRun(runId),
    showRound: (roundId) => store.findRound(roundId),
    auditLeaves: async (page) => {
      await turn();
      const leaves = db.leaves.map(({ kind, body }, index) => ({ sequence: index + 1, kind, body }));
      return paged(leaves, page, (leaf) => String(leaf.sequence));
    },
    ...uploads(db, turn),
    ...memoryTranscripts(db, turn),
    ...smallFacts(db, turn),
    ...memoryAccess(db, turn),
    ...memoryLeaves(db, turn),
    ...memoryRegistry(db, turn),
    ...trackingOf(db, turn),
    ping: turn,
    close: async () => {},
  };
  return store;
}

type Turn = () => Promise<void>;

function uploads(
  db: MemoryDatabase,
  turn: Turn,
): Pick<Store, "loadMaterial" | "deleteMaterial" | "unforgotten" | keyof UploadStore> {
  return {
    loadMaterial: async (sid, step) => {
      await turn();
      const found = new Map<Position, Bytes>();
      for (const [key, bytes] of db.material) {
        const [ofSid, ofStep, position] = key.split(" ");
        if (ofSid === sid && ofStep === step) found.set(Number(position) as Position, new Uint8Array(bytes));
      }
      return new Map([...found].sort(([left], [right]) => left - right));
    },
    deleteMaterial: async (sid) => {
      await turn();
      for (const key of db.material.keys()) if (key.startsWith(`${sid} `)) db.material.delete(key);
    },
    unforgotten: async () => {
      await turn();
      const held = [...db.material.keys()].map((key) => key.slice(0, key.indexOf(" ")));
      const unsealed = [...db.evidence].filter(([, { sealed }]) => sealed === null).map(([sid]) => sid);
      return [...new Set([...held, ...unsealed])];
    },
    findSlot: async (sid, position) => {
      await turn();
      const session = db.sessions.get(sid);
      const slotHash = session?.slots.get(position);
      if (session === undefined || slotHash === undefined) return null;
      return { slotHash, byteCount: session.byteCount, open: session.open };
    },
    findInput: async (sid, position) => {
      await turn();
      return db.inputs.get(`${sid} ${position}`) ?? null;
    },
    listInputs: async (sid) => {
      await turn();
      const rows = [...db.inputs.values()].filter((input) => input.sid === sid);
      return rows.sort((left, right) => left.position - right.position);
    },
  };
}

function smallFacts(
  db: MemoryDatabase,
  turn: Turn,
): Pick<Store, "noteDevice" | "hasDevice" | "getSetting" | "putSettingOnce"> {
  return {
    noteDevice: async (identity) => {
      await turn();
      db.devices.add(identity);
    },
    hasDevice: async (identity) => {
      await turn();
      return db.devices.has(identity);
    },
    getSetting: async (name) => {
      await turn();
      return db.settings.get(name) ?? null;
    },
    putSettingOnce: async (name, value) => {
      await turn();
      const stored = db.settings.get(name) ?? value;
      db.settings.set(name, stored);
      return stored;
    },
  };
}

const newestFirst = (
  left: { readonly runId: string; readonly createdAt: number },
  right: { readonly runId: string; readonly createdAt: number },
) => right.createdAt - left.createdAt || (left.runId < right.runId ? 1 : -1);

function withNewest(db: MemoryDatabase, stored: TaskRow): StoredTask {
  const runs = [...db.runs].map(([runId, row]) => ({ runId, ...row }));
  const settings = taskSettingsSchema.parse(db.taskSettings.get(stored.task.slug) ?? {});
  const ofTask = runs.filter((run) => run.task === stored.task.slug && run.newest !== null);
  const newest = ofTask.sort(newestFirst)[0]?.newest ?? null;
  return { ...stored, newest, inUse: memoryModelInUse(db, stored.task.slug), settings };
}

function sameStream(left: StreamId, right: StreamId): boolean {
  return left.kind === right.kind && left.id === right.id;
}

function storedEvent(entry: MemoryDatabase["log"][number]): StoredEvent {
  return { sequence: entry.sequence, at: entry.at, event: JSON.parse(entry.body) };
}

function storedNote({ stream, sequence, at, note }: MemoryDatabase["notes"][number]): StoredNote {
  return { stream, sequence, at, note };
}
