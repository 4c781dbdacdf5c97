import type { EnrolmentRow, StoredAccessRow } from "#coordinator/core/ports/access-store.ts";
import type { AuthModel } from "#coordinator/core/ports/auth-records.ts";
import type { ActedLeaf, LogHeadRow, StagedLeaf } from "#coordinator/core/ports/leaf-store.ts";
import type {
  EvidenceRow,
  InputRow,
  ModelVersionRow,
  RoundRow,
  RunRow,
  StoredNote,
  StoreRecord,
  StreamId,
  TaskRow,
  TranscriptRow,
} from "#coordinator/core/ports/ports.ts";
import type { AliasRow, NumberedModel } from "#coordinator/core/ports/registry-store.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { StoredSettingChanges } from "#shared/task/settings.ts";
import { pushLeaf } from "./memory-leaves.ts";
import { numberVersion, writeAlias } from "./memory-registry.ts";
import { type MemoryTracking, memoryTracking } from "./memory-tracking.ts";

/* The rows behind the memory store, and what each record of a transaction does to them. */

/** What is durable. Pass the same value to the next store to play a restart. */
export interface MemoryDatabase {
  /** In order of writing; bodies as JSON text, like in a database. */
  readonly log: {
    readonly stream: StreamId;
    readonly sequence: number;
    readonly at: number;
    readonly body: string;
  }[];
  readonly notes: (StoredNote & { readonly runId: string | null })[];
  readonly tasks: TaskRow[];
  /** By slug. */
  readonly taskSettings: Map<string, StoredSettingChanges>;
  readonly runs: Map<string, RunRow>;
  readonly rounds: Map<string, RoundRow>;
  readonly versions: ModelVersionRow[];
  /** Of versions, ascending within a task. */
  readonly numbers: Pick<NumberedModel, "task" | "number" | "runId" | "round" | "madeAt">[];
  readonly aliases: (AliasRow & { readonly task: string })[];
  readonly offers: Map<string, { readonly runId: string; readonly openedSid: string | null }>;
  readonly uses: { readonly modelHash: string; readonly runId: string }[];
  readonly leaves: Omit<StagedLeaf, "sequence">[];
  /** By index of a leaf: what is kept beside it. */
  readonly leafActs: Map<number, Pick<ActedLeaf, "projectId" | "actor">>;
  /** One at most. */
  readonly logHeads: LogHeadRow[];
  readonly sessions: Map<
    string,
    { open: boolean; readonly byteCount: number; readonly slots: ReadonlyMap<number, string> }
  >;
  readonly inputs: Map<string, InputRow>;
  readonly material: Map<string, Bytes>;
  /** By session, in the order in which they were kept. */
  readonly transcripts: Map<string, TranscriptRow>;
  readonly openings: Map<string, ReadonlyMap<Position, Bytes>>;
  readonly evidence: Map<string, EvidenceRow & { readonly sealed: Bytes | null }>;
  readonly counters: Map<string, number>;
  readonly settings: Map<string, string>;
  readonly devices: Set<string>;
  /** By session: its project. */
  readonly projects: Map<string, string>;
  /** By "kind id". */
  readonly accessRows: Map<string, StoredAccessRow>;
  readonly enrolments: EnrolmentRow[];
  /** Uses of join tokens, by token. */
  readonly joins: Map<string, number>;
  readonly authRecords: Map<AuthModel, Readonly<Record<string, unknown>>[]>;
  readonly tracking: MemoryTracking;
}

export function memoryDatabase(): MemoryDatabase {
  return {
    log: [],
    notes: [],
    tasks: [],
    taskSettings: new Map(),
    runs: new Map(),
    rounds: new Map(),
    versions: [],
    numbers: [],
    aliases: [],
    offers: new Map(),
    uses: [],
    leaves: [],
    leafActs: new Map(),
    logHeads: [],
    sessions: new Map(),
    inputs: new Map(),
    material: new Map(),
    transcripts: new Map(),
    openings: new Map(),
    evidence: new Map(),
    counters: new Map(),
    settings: new Map(),
    devices: new Set(),
    projects: new Map(),
    accessRows: new Map(),
    enrolments: [],
    joins: new Map(),
    authRecords: new Map(),
    tracking: memoryTracking(),
  };
}

/** Before anything is written: whether each record can be. */
export function checkAll(db: MemoryDatabase, records: readonly StoreRecord[]): void {
  // The last input is accepted together with the event that seals the set.
  const taken = new Set(
    records.flatMap((record) =>
      record.type === "input" ? [`${record.input.sid} ${record.input.position}`] : [],
    ),
  );
  for (const record of records) {
    if (record.type === "close-slots") {
      const has = (key: string) => db.inputs.has(key) || taken.has(key);
      const missing = record.kept.filter((position) => !has(`${record.sid} ${position}`));
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
    if (record.type === "input") {
      const { sid, position } = record.input;
      const session = db.sessions.get(sid);
      const isOpen = session?.open === true && session.slots.has(position);
      assert(isOpen, `position ${position} of session ${sid} has no open slot`);
      assert(!db.inputs.has(`${sid} ${position}`), "an input is taken once");
    }
    if (record.type === "task-settings")
      assert(
        db.tasks.some(({ task }) => task.slug === record.slug),
        "settings follow their task",
      );
    if (record.type === "open-slots") assert(!db.sessions.has(record.sid), "slots open once");
  }
}

/** Writes one record of an event at this time, after all of its transaction were checked. */
export function write(
  db: MemoryDatabase,
  record: StoreRecord,
  { at, projectId }: { readonly at: number; readonly projectId: string },
): void {
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
    case "note":
      // Already pushed with its event.
      return;
    case "audit-leaf":
      pushLeaf(db, jsonCopy({ kind: record.kind, at, body: record.body as StagedLeaf["body"] }));
      db.leafActs.set(db.leaves.length - 1, { projectId, actor: record.actor ?? null });
      return;
    case "actor-forgotten":
      for (const [index, act] of db.leafActs)
        if (act.actor === record.actor) db.leafActs.set(index, { ...act, actor: null });
      return;
    case "access-row": {
      const { kind, id, body } = record;
      const key = `${kind} ${id}`;
      if (body === null) db.accessRows.delete(key);
      else db.accessRows.set(key, jsonCopy({ kind, id, body }));
      return;
    }
    case "task-row":
      assert(!hasTask(db, record.row), "a task version is made once");
      db.tasks.push(record.row);
      return;
    case "task-settings":
      db.taskSettings.set(record.slug, { ...db.taskSettings.get(record.slug), ...record.changes });
      return;
    case "model-offered":
      db.uses.push({ modelHash: record.modelHash, runId: record.runId });
      if (!db.offers.has(record.modelHash))
        db.offers.set(record.modelHash, { runId: record.runId, openedSid: null });
      return;
    case "model-opened": {
      const offer = db.offers.get(record.modelHash);
      if (offer !== undefined)
        db.offers.set(record.modelHash, { ...offer, openedSid: offer.openedSid ?? record.sid });
      return;
    }
    case "model-alias":
      writeAlias(db, record);
      return;
    case "model-version": {
      const { runId, round } = record.version;
      numberVersion(db, record, at);
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
    case "input":
      db.inputs.set(`${record.input.sid} ${record.input.position}`, record.input);
      return;
    case "material":
      db.material.set(`${record.sid} ${record.step} ${record.position}`, new Uint8Array(record.bytes));
      return;
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

/** True if this version exists or the slug belongs to another project. */
export function hasTask(db: MemoryDatabase, { projectId, task: { slug, version } }: TaskRow): boolean {
  return db.tasks.some(
    (known) => known.task.slug === slug && (known.task.version === version || known.projectId !== projectId),
  );
}

export function jsonCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
