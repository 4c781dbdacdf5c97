import { type Insertable, type Kysely, sql, type Transaction } from "kysely";
import { assertLeaves } from "#coordinator/core/audit/owed-leaves.ts";
import type {
  EventLog,
  LogEntry,
  ModelVersionRow,
  RoundViews,
  StoredEvent,
  StoreRecord,
  StreamId,
} from "#coordinator/core/ports/store.ts";
import { assert, present, unreachable } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { isEndPhase } from "#shared/round/phases.ts";
import { writeAccessRow } from "./access.ts";
import { compileOnce } from "./compiled.ts";
import { nextNumber, nextNumberQuery } from "./counters.ts";
import { leafBody, writeLeaves } from "./leaves.ts";
import { inBatches, toJson } from "./page.ts";
import { MODEL_COUNTER, writeAlias } from "./registry.ts";
import type { Database } from "./schema.ts";
import type { StreamProjects } from "./stream-projects.ts";
import { TaskExists, writeTask, writeTaskSettings } from "./task-rows.ts";
import { recordInitial, recordRound, recordRun } from "./tracking/own.ts";
import { sentQueries } from "./uploads.ts";

type RecordOf<Type extends StoreRecord["type"]> = Extract<StoreRecord, { type: Type }>;

/**
 * Rolls the transaction back, as does `TaskExists`. `append` returns this one as a Result, `appendNext` the other;
 * otherwise they are faults.
 */
class SequenceTaken extends Error {}

/** The writing half of the log: an event and its records, all or nothing. */
export function appender(
  db: Kysely<Database>,
  projects: StreamProjects,
): Pick<EventLog, "append" | "appendNext"> {
  const queries = appendQueries(db);
  return {
    append: async (stream, entries) => {
      const records = entries.flatMap((entry) => entry.records);
      const projectId = await projects.of(stream, records);
      try {
        await db.transaction().execute((tx) => appendIn({ tx, queries, projectId }, stream, entries));
        return ok(undefined);
      } catch (error) {
        if (error instanceof SequenceTaken) return err({ type: "sequence-taken" });
        throw error;
      }
    },
    appendNext: async (stream, event, records) => {
      const projectId = await projects.of(stream, records);
      try {
        const next = { event: { ...event, sequence: "next" }, records } as const;
        return ok(
          await db.transaction().execute((tx) => appendIn({ tx, queries, projectId }, stream, [next])),
        );
      } catch (error) {
        if (error instanceof TaskExists) return err({ type: "exists" });
        throw error;
      }
    },
  };
}

type AppendQueries = ReturnType<typeof appendQueries>;

/** Queries of nearly every append. */
function appendQueries(db: Kysely<Database>) {
  return {
    ...sentQueries(db),
    nextNumbers: compileOnce<{ name: string; count: number }, { value: number }>((value) =>
      nextNumberQuery(db, value("name"), value("count")),
    ),
    last: compileOnce<{ kind: StreamId["kind"]; id: string }, { last: number }>((value) =>
      db
        .selectFrom("event")
        .select((table) => table.fn.coalesce(table.fn.max("sequence"), sql<number>`0`).as("last"))
        .where("stream_kind", "=", value("kind"))
        .where("stream_id", "=", value("id")),
    ),
    insertEvent: compileOnce<Insertable<Database["event"]>, unknown>((value) =>
      db.insertInto("event").values({
        position: value("position"),
        project_id: value("project_id"),
        stream_kind: value("stream_kind"),
        stream_id: value("stream_id"),
        sequence: value("sequence"),
        at: value("at"),
        body: value("body"),
      }),
    ),
  };
}

interface Writing {
  readonly tx: Transaction<Database>;
  readonly queries: AppendQueries;
  /** Of the stream. */
  readonly projectId: string;
}

interface AppendedEntry extends Omit<LogEntry, "event"> {
  readonly event: Omit<StoredEvent, "sequence"> & { readonly sequence: number | "next" };
}

/** @returns The sequence of the last event. */
async function appendIn(
  writing: Writing,
  stream: StreamId,
  entries: readonly AppendedEntry[],
): Promise<number> {
  const { tx, queries, projectId } = writing;
  // Locked until the commit, so that writers queue here and what they read below cannot change.
  const [counter] = await queries.nextNumbers(tx, { name: "event", count: entries.length });
  const { value: lastPosition } = present(counter, "a counter returns its value");
  const [newest] = await queries.last(tx, stream);
  let { last } = present(newest, "an aggregate has a row");
  for (const [index, { event, records }] of entries.entries()) {
    const sequence = event.sequence === "next" ? last + 1 : event.sequence;
    if (sequence <= last) throw new SequenceTaken();
    assertLeaves(records);
    assert(sequence === last + 1, `event ${sequence} of ${stream.kind} ${stream.id} follows ${last}`);
    for (const record of records) if (record.type !== "note") await writeRecord(writing, record, event.at);
    const position = lastPosition - entries.length + 1 + index;
    const place = { position, project_id: projectId, stream_kind: stream.kind, stream_id: stream.id };
    const written = { ...place, sequence, at: event.at };
    await queries.insertEvent(tx, { ...written, body: toJson(event.event) });
    for (const record of records) if (record.type === "note") await writeNote(tx, written, record);
    last = sequence;
  }
  return last;
}

/** Runs after the other records, because the round's row may be one of them. */
async function writeNote(
  tx: Transaction<Database>,
  event: Omit<Insertable<Database["event"]>, "body">,
  { note }: RecordOf<"note">,
): Promise<void> {
  await tx
    .insertInto("note")
    .values({ ...event, run_id: await runOfStream(tx, event), body: toJson(note) })
    .execute();
}

async function runOfStream(
  tx: Transaction<Database>,
  { stream_kind, stream_id }: Pick<Insertable<Database["event"]>, "stream_kind" | "stream_id">,
): Promise<string | null> {
  if (stream_kind === "run") return stream_id;
  if (stream_kind !== "round") return null;
  const round = await tx
    .selectFrom("round")
    .select("run_id")
    .where("round_id", "=", stream_id)
    .executeTakeFirst();
  return round?.run_id ?? null;
}

/** @param at  Of the event. */
async function writeRecord(
  writing: Writing,
  record: Exclude<StoreRecord, { type: "note" }>,
  at: number,
): Promise<void> {
  const { tx, projectId } = writing;
  switch (record.type) {
    case "run-row":
      return writeRun(tx, record);
    case "round-row":
      return writeRound(tx, projectId, record);
    case "audit-leaf":
      await writeLeaves(tx, projectId, [
        { kind: record.kind, at, body: leafBody(record.body), actor: record.actor ?? null },
      ]);
      return;
    case "actor-forgotten":
      await tx.updateTable("audit_leaf").set({ actor: null }).where("actor", "=", record.actor).execute();
      return;
    case "task-row":
      return writeTask(tx, record);
    case "task-settings":
      return writeTaskSettings(tx, record);
    case "access-row":
      return writeAccessRow(tx, record);
    case "model-offered":
      return writeOffer(tx, projectId, record);
    case "model-opened":
      return markOpened(tx, record);
    case "model-version":
      return writeVersion(writing, record, at);
    case "model-alias":
      return writeAlias(tx, projectId, record);
    case "open-slots":
      return openSlots(tx, projectId, record);
    case "input":
      return takeInput(writing, record);
    case "material": {
      const { sid, step, position, bytes } = record;
      await writing.queries.putMaterial(tx, { sid, step, position, project_id: projectId, bytes });
      return;
    }
    case "close-slots":
      return closeSlots(tx, record);
    default:
      return unreachable(record);
  }
}

async function writeOffer(
  tx: Transaction<Database>,
  projectId: string,
  { modelHash, runId }: RecordOf<"model-offered">,
): Promise<void> {
  const use = { model_hash: modelHash, project_id: projectId, run_id: runId };
  // Keeps the first offer, because callers ask whether this model was ever offered before.
  await tx
    .insertInto("model_offer")
    .values({ ...use, opened_sid: null })
    .onConflict((conflict) => conflict.column("model_hash").doNothing())
    .execute();
  await tx
    .insertInto("model_use")
    .values(use)
    .onConflict((conflict) => conflict.columns(["model_hash", "run_id"]).doNothing())
    .execute();
}

async function writeRun(tx: Transaction<Database>, { runId, row }: RecordOf<"run-row">): Promise<void> {
  const newest = row.newest === null ? null : toJson(row.newest);
  const changing = { state: row.state, view: toJson(row.view), newest };
  await tx
    .insertInto("run")
    .values({
      run_id: runId,
      project_id: row.projectId,
      task: row.task,
      task_version: row.taskVersion,
      number: row.number,
      actor: row.actor,
      created_at: row.createdAt,
      ...changing,
    })
    .onConflict((conflict) => conflict.column("run_id").doUpdateSet(changing))
    .execute();
  await recordRun(tx, runId, row);
}

async function writeRound(
  tx: Transaction<Database>,
  projectId: string,
  { roundId, row }: RecordOf<"round-row">,
): Promise<void> {
  // Tests write other views.
  const { detail }: Partial<RoundViews> = row.view;
  const changing = { phase: row.phase, view: toJson(row.view), sum_hash: detail?.sumHash ?? null };
  await tx
    .insertInto("round")
    .values({ round_id: roundId, project_id: projectId, run_id: row.runId, round: row.round, ...changing })
    .onConflict((conflict) => conflict.column("round_id").doUpdateSet(changing))
    .execute();
  if (isEndPhase(row.phase)) await recordRound(tx, roundId, row);
}

/** Keeps the first session that opened a sum for the model. */
async function markOpened(tx: Transaction<Database>, record: RecordOf<"model-opened">): Promise<void> {
  const offer = await tx
    .updateTable("model_offer")
    .set({ opened_sid: sql<string>`coalesce(opened_sid, ${record.sid})` })
    .where("model_hash", "=", record.modelHash)
    .returning("model_hash")
    .executeTakeFirst();
  assert(offer !== undefined, `model ${record.modelHash} was opened before it was offered`);
}

async function writeVersion(
  { tx, projectId }: Writing,
  { version, numberedIn }: RecordOf<"model-version">,
  at: number,
): Promise<void> {
  const numbered =
    numberedIn === undefined || (await hasVersion(tx, version))
      ? null
      : { task: numberedIn, number: await nextNumber(tx, `${MODEL_COUNTER}${numberedIn}`), made_at: at };
  const written = await tx
    .insertInto("model_version")
    .values({
      run_id: version.runId,
      round: version.round,
      project_id: projectId,
      model_hash: version.modelHash,
      parent_hash: version.parentHash,
      strategy_state_hash: version.strategyStateHash,
      metrics: toJson(version.metrics),
      ...numbered,
    })
    // Metrics may follow later, but a round's model is fixed once written.
    .onConflict((conflict) =>
      conflict
        .columns(["run_id", "round"])
        .doUpdateSet({ metrics: toJson(version.metrics) })
        .where("model_version.model_hash", "=", version.modelHash),
    )
    .returning("round")
    .executeTakeFirst();
  assert(written !== undefined, `round ${version.round} of run ${version.runId} already has another model`);
  const { runId, round, metrics } = version;
  if (round === 0 && metrics?.measures != null) await recordInitial(tx, runId, metrics.measures, at);
}

async function hasVersion(tx: Transaction<Database>, { runId, round }: ModelVersionRow): Promise<boolean> {
  const row = await tx
    .selectFrom("model_version")
    .select("round")
    .where("run_id", "=", runId)
    .where("round", "=", round)
    .executeTakeFirst();
  return row !== undefined;
}

async function openSlots(
  tx: Transaction<Database>,
  projectId: string,
  record: RecordOf<"open-slots">,
): Promise<void> {
  await tx
    .insertInto("upload_session")
    .values({ sid: record.sid, project_id: projectId, byte_count: record.byteCount, open: true })
    .execute();
  for (const slots of inBatches(record.slots)) {
    const values = slots.map(({ position, slotHash }) => ({
      sid: record.sid,
      position,
      slot_hash: slotHash,
    }));
    await tx.insertInto("upload_slot").values(values).execute();
  }
}

/** The counter's row stays locked, so the session is sealed either before this or after it. */
async function takeInput({ tx, queries, projectId }: Writing, { input }: RecordOf<"input">): Promise<void> {
  const { sid, position, sha256, root, signature, byteCount } = input;
  const [slot] = await queries.slot(tx, { sid, position });
  assert(Boolean(slot?.open), `position ${position} of session ${sid} has no open slot`);
  const facts = { sha256, root, signature, byte_count: byteCount };
  await queries.insertInput(tx, { sid, position, project_id: projectId, ...facts });
}

/** All kept inputs must exist: a survivor set holds only acknowledged inputs. */
async function closeSlots(tx: Transaction<Database>, { sid, kept }: RecordOf<"close-slots">): Promise<void> {
  await tx.updateTable("upload_session").set({ open: false }).where("sid", "=", sid).execute();
  const inputs = await tx.selectFrom("input").select("position").where("sid", "=", sid).execute();
  const have = new Set(inputs.map((input) => input.position));
  const missing = kept.filter((position) => !have.has(position));
  assert(missing.length === 0, `session ${sid} keeps inputs that it does not have: ${missing.join(", ")}`);
  const dropped = [...have].filter((position) => !kept.includes(position));
  for (const positions of inBatches(dropped))
    await tx.deleteFrom("input").where("sid", "=", sid).where("position", "in", positions).execute();
}
