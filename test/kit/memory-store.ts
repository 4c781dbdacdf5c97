import type {
  EvidenceRow,
  InputRow,
  Listed,
  ModelVersionRow,
  Page,
  RoundRow,
  RunRow,
  Store,
  StoredEvent,
  StoredTask,
  StoreRecord,
  StreamId,
  TaskRow,
  TranscriptRow,
  UploadStore,
} from "#coordinator/core/ports.ts";
import { isShown } from "#coordinator/core/shown.ts";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, equalBytes } from "#shared/kernel/bytes.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import { type TaskSettingChanges, taskSettingsSchema } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import { memoryTranscripts } from "./memory-transcripts.ts";

/** What is durable: hand the same one to the next store and a restart is played. */
export interface MemoryDatabase {
  /** In the order of writing; bodies as JSON text, as a database would keep them. */
  readonly log: {
    readonly stream: StreamId;
    readonly runId: string | null;
    readonly sequence: number;
    readonly at: number;
    readonly body: string;
  }[];
  readonly tasks: TaskRow[];
  /** By slug. */
  readonly taskSettings: Map<string, TaskSettingChanges>;
  readonly runs: Map<string, RunRow>;
  readonly rounds: Map<string, RoundRow>;
  readonly versions: ModelVersionRow[];
  readonly offers: Map<string, { readonly runId: string; readonly openedSid: string | null }>;
  readonly leaves: { readonly kind: string; readonly body: unknown }[];
  readonly sessions: Map<
    string,
    { open: boolean; readonly byteCount: number; readonly slots: ReadonlyMap<number, string> }
  >;
  readonly inputs: Map<string, InputRow>;
  readonly material: Map<string, Bytes>;
  /** By session, in the order of keeping. */
  readonly transcripts: Map<string, TranscriptRow>;
  readonly openings: Map<string, ReadonlyMap<number, Bytes>>;
  readonly evidence: Map<string, EvidenceRow & { readonly sealed: Bytes | null }>;
  readonly counters: Map<string, number>;
  readonly settings: Map<string, string>;
  readonly joinTokens: Map<string, { uses: number; readonly expiresAt: number }>;
}

export function memoryDatabase(): MemoryDatabase {
  return {
    log: [],
    tasks: [],
    taskSettings: new Map(),
    runs: new Map(),
    rounds: new Map(),
    versions: [],
    offers: new Map(),
    leaves: [],
    sessions: new Map(),
    inputs: new Map(),
    material: new Map(),
    transcripts: new Map(),
    openings: new Map(),
    evidence: new Map(),
    counters: new Map(),
    settings: new Map(),
    joinTokens: new Map(),
  };
}

const oneTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * `Store` over a value.
 *
 * @param turn  Passes before each call does anything: one turn of the event loop, so that nothing relies on its being
 *              instant; a simulation has its own clock for that.
 */
export function memoryStore(db: MemoryDatabase = memoryDatabase(), turn: Turn = oneTurn): Store {
  const lastOf = (stream: StreamId) =>
    db.log.reduce(
      (last, entry) => (sameStream(entry.stream, stream) ? Math.max(last, entry.sequence) : last),
      0,
    );
  const push = (stream: StreamId, event: StoredEvent, records: readonly StoreRecord[]) => {
    writeAll(db, records);
    const ofRound = stream.kind === "round" ? (db.rounds.get(stream.id)?.runId ?? null) : null;
    const { sequence, at } = event;
    const runId = stream.kind === "run" ? stream.id : ofRound;
    db.log.push({ stream, runId, sequence, at, body: JSON.stringify(event.event) });
  };
  return {
    kind: "embedded",
    append: async (stream, event, records) => {
      await turn();
      const last = lastOf(stream);
      if (event.sequence <= last) return err({ type: "sequence-taken" });
      assert(event.sequence === last + 1, `event ${event.sequence} follows ${last}`);
      push(stream, event, records);
      return ok(undefined);
    },
    appendNext: async (stream, event, records) => {
      await turn();
      const sequence = lastOf(stream) + 1;
      if (records.some((record) => record.type === "task-row" && hasTask(db, record.row.task)))
        return err({ type: "exists" });
      push(stream, { ...event, sequence }, records);
      return ok(sequence);
    },
    readStream: async (stream) => {
      await turn();
      return db.log.filter((entry) => sameStream(entry.stream, stream)).map(storedEvent);
    },
    readShown: async (stream) => {
      await turn();
      const events = db.log.filter((entry) => sameStream(entry.stream, stream)).map(storedEvent);
      return events.filter(({ event }) => isShown(event));
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
    listTasks: async (page) => {
      await turn();
      const newest = new Map<string, TaskRow>();
      for (const stored of db.tasks) {
        const known = newest.get(stored.task.slug);
        if (known === undefined || known.task.version < stored.task.version)
          newest.set(stored.task.slug, stored);
      }
      const sorted = [...newest.values()].sort((left, right) => (left.task.slug < right.task.slug ? -1 : 1));
      const list = paged(sorted, page, (stored) => stored.task.slug);
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
      const wanted = rows.filter((row) => filter.task === undefined || row.task === filter.task);
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
    listEvents: async (runId, page) => {
      await turn();
      const entries = db.log
        .map((entry, index) => ({ entry, index }))
        .filter(({ entry }) => entry.runId === runId && isShown(JSON.parse(entry.body)));
      const list = paged(entries.reverse(), page, ({ index }) => String(index));
      const items = list.items.map(({ entry }) => ({ stream: entry.stream, stored: storedEvent(entry) }));
      return { items, next: list.next };
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
    auditLeaves: async (page) => {
      await turn();
      const leaves = db.leaves.map((leaf, index) => ({ sequence: index + 1, ...leaf }));
      return paged(leaves, page, (leaf) => String(leaf.sequence));
    },
    ...uploads(db, turn),
    ...memoryTranscripts(db, turn),
    ...smallFacts(db, turn),
    ping: turn,
    close: async () => {},
  };
}

type Turn = () => Promise<void>;

function uploads(
  db: MemoryDatabase,
  turn: Turn,
): Pick<Store, "saveMaterial" | "loadMaterial" | "deleteMaterial" | "unforgotten" | keyof UploadStore> {
  return {
    saveMaterial: async (sid, step, position, bytes) => {
      await turn();
      const key = `${sid} ${step} ${position}`;
      const known = db.material.get(key);
      if (known !== undefined) return equalBytes(known, bytes) ? "same" : "different";
      db.material.set(key, new Uint8Array(bytes));
      return "saved";
    },
    loadMaterial: async (sid, step) => {
      await turn();
      const found = new Map<number, Bytes>();
      for (const [key, bytes] of db.material) {
        const [ofSid, ofStep, position] = key.split(" ");
        if (ofSid === sid && ofStep === step) found.set(Number(position), new Uint8Array(bytes));
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
    acceptInput: async (input) => {
      await turn();
      const session = db.sessions.get(input.sid);
      if (session?.slots.has(input.position) !== true) return err({ type: "closed" });
      const key = `${input.sid} ${input.position}`;
      if (session.open && !db.inputs.has(key)) db.inputs.set(key, input);
      const stored = db.inputs.get(key);
      if (stored === undefined) return err({ type: "closed" });
      if (stored.sha256 !== input.sha256) return err({ type: "conflict" });
      const { sid, position, sha256, byteCount } = stored;
      return ok({ sid, position, sha256, byteCount } as Receipt);
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
): Pick<Store, "putJoinToken" | "useJoinToken" | "noteDevice" | "getSetting" | "putSettingOnce"> {
  return {
    putJoinToken: async (tokenHash, uses, expiresAt) => {
      await turn();
      db.joinTokens.set(tokenHash, { uses, expiresAt });
    },
    useJoinToken: async (tokenHash, now) => {
      await turn();
      const token = db.joinTokens.get(tokenHash);
      if (token === undefined || token.uses < 1 || token.expiresAt <= now) return false;
      token.uses -= 1;
      return true;
    },
    noteDevice: turn,
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

/** All records or, where one cannot be written, none. */
function writeAll(db: MemoryDatabase, records: readonly StoreRecord[]): void {
  for (const record of records) {
    if (record.type === "close-slots") {
      const missing = record.kept.filter((position) => !db.inputs.has(`${record.sid} ${position}`));
      assert(missing.length === 0, `session ${record.sid} does not have: ${missing.join(", ")}`);
    }
    if (record.type === "model-opened")
      assert(db.offers.has(record.modelHash), "a model is offered before it is opened");
    if (record.type === "model-version") {
      const { runId, round, modelHash } = record.version;
      const known = db.versions.find((version) => version.runId === runId && version.round === round);
      assert(
        known === undefined || known.modelHash === modelHash,
        `round ${round} already has another model`,
      );
    }
    if (record.type === "open-slots") assert(!db.sessions.has(record.sid), "slots open once");
  }
  for (const record of records) write(db, record);
}

function write(db: MemoryDatabase, record: StoreRecord): void {
  switch (record.type) {
    case "run-row": {
      const known = db.runs.get(record.runId);
      const { state, view, newest } = record.row;
      const row = known === undefined ? record.row : { ...known, state, view, newest };
      db.runs.set(record.runId, jsonCopy(row));
      return;
    }
    case "round-row":
      db.rounds.set(record.roundId, jsonCopy(record.row));
      return;
    case "audit-leaf":
      db.leaves.push(jsonCopy({ kind: record.kind, body: record.body }));
      return;
    case "task-row":
      assert(!hasTask(db, record.row.task), "a task version is made once");
      db.tasks.push(record.row);
      return;
    case "task-settings":
      db.taskSettings.set(record.slug, { ...db.taskSettings.get(record.slug), ...record.changes });
      return;
    case "model-offered":
      if (!db.offers.has(record.modelHash))
        db.offers.set(record.modelHash, { runId: record.runId, openedSid: null });
      return;
    case "model-opened": {
      const offer = db.offers.get(record.modelHash);
      if (offer !== undefined)
        db.offers.set(record.modelHash, { ...offer, openedSid: offer.openedSid ?? record.sid });
      return;
    }
    case "model-version": {
      const { runId, round } = record.version;
      const index = db.versions.findIndex((version) => version.runId === runId && version.round === round);
      const version = jsonCopy(record.version);
      if (index < 0) db.versions.push(version);
      else db.versions[index] = { ...(db.versions[index] as ModelVersionRow), metrics: version.metrics };
      return;
    }
    case "open-slots": {
      const slots = new Map(record.slots.map(({ position, slotHash }) => [position, slotHash]));
      db.sessions.set(record.sid, { open: true, byteCount: record.byteCount, slots });
      return;
    }
    case "close-slots": {
      const session = db.sessions.get(record.sid);
      if (session !== undefined) session.open = false;
      for (const [key, input] of db.inputs) {
        if (input.sid === record.sid && !record.kept.includes(input.position)) db.inputs.delete(key);
      }
      return;
    }
  }
}

const newestFirst = (
  left: { readonly runId: string; readonly createdAt: number },
  right: { readonly runId: string; readonly createdAt: number },
) => right.createdAt - left.createdAt || (left.runId < right.runId ? 1 : -1);

function withNewest(db: MemoryDatabase, stored: TaskRow): StoredTask {
  const runs = [...db.runs].map(([runId, row]) => ({ runId, ...row }));
  const settings = taskSettingsSchema.parse(db.taskSettings.get(stored.task.slug) ?? {});
  const ofTask = runs.filter((run) => run.task === stored.task.slug && run.newest !== null);
  return { ...stored, newest: ofTask.sort(newestFirst)[0]?.newest ?? null, settings };
}

function hasTask(db: MemoryDatabase, { slug, version }: Task): boolean {
  return db.tasks.some(({ task }) => task.slug === slug && task.version === version);
}

function sameStream(left: StreamId, right: StreamId): boolean {
  return left.kind === right.kind && left.id === right.id;
}

function storedEvent(entry: MemoryDatabase["log"][number]): StoredEvent {
  return { sequence: entry.sequence, at: entry.at, event: JSON.parse(entry.body) };
}

/** What does not survive JSON does not survive a database. */
function jsonCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The cursor names the last item of the page before; one that names none is the end. */
function paged<Item>(items: readonly Item[], page: Page, nameOf: (item: Item) => string): Listed<Item> {
  const { cursor, limit } = page;
  const from = cursor === undefined ? 0 : items.findIndex((item) => nameOf(item) === cursor) + 1;
  if (cursor !== undefined && from === 0) return { items: [], next: null };
  const shown = items.slice(from, from + limit);
  const last = shown.at(-1);
  return { items: shown, next: items.length > from + limit && last !== undefined ? nameOf(last) : null };
}
