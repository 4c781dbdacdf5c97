import { type Insertable, type Kysely, sql, type Transaction } from "kysely";
import { isShown } from "#coordinator/core/shown.ts";
import type { EventLog, StoredEvent, StoreRecord, StreamId } from "#coordinator/core/store.ts";
import { assert, present, unreachable } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { Task } from "#shared/task/task.ts";
import { compileOnce } from "./compiled.ts";
import { fromJson, inBatches, toJson } from "./page.ts";
import type { Database } from "./schema.ts";

type RecordOf<Type extends StoreRecord["type"]> = Extract<StoreRecord, { type: Type }>;

/** Each rolls the transaction back; the first never leaves this file, the second only as a fault of `append`. */
class SequenceTaken extends Error {}
class TaskExists extends Error {
  constructor({ slug, version }: Task) {
    super(`version ${version} of task ${slug} exists`);
  }
}

/** The writing half of the log: one event and its records, all or nothing. */
export function appender(db: Kysely<Database>, projectId: string): Pick<EventLog, "append" | "appendNext"> {
  const queries = appendQueries(db);
  return {
    append: async (stream, event, records) => {
      try {
        await db.transaction().execute((tx) => appendIn({ tx, queries, projectId }, stream, event, records));
        return ok(undefined);
      } catch (error) {
        if (error instanceof SequenceTaken) return err({ type: "sequence-taken" });
        throw error;
      }
    },
    appendNext: async (stream, event, records) => {
      try {
        const next = { ...event, sequence: "next" } as const;
        return ok(
          await db.transaction().execute((tx) => appendIn({ tx, queries, projectId }, stream, next, records)),
        );
      } catch (error) {
        if (error instanceof TaskExists) return err({ type: "exists" });
        throw error;
      }
    },
  };
}

type AppendQueries = ReturnType<typeof appendQueries>;

/** What nearly every append executes. */
function appendQueries(db: Kysely<Database>) {
  return {
    nextNumber: compileOnce<{ name: string }, { value: number }>((value) =>
      nextNumberQuery(db, value("name")),
    ),
    last: compileOnce<{ kind: StreamId["kind"]; id: string }, { last: number }>((value) =>
      db
        .selectFrom("event")
        .select((table) => table.fn.coalesce(table.fn.max("sequence"), sql<number>`0`).as("last"))
        .where("stream_kind", "=", value("kind"))
        .where("stream_id", "=", value("id")),
    ),
    runOfRound: compileOnce<{ roundId: string }, { run_id: string }>((value) =>
      db.selectFrom("round").select("run_id").where("round_id", "=", value("roundId")),
    ),
    insertEvent: compileOnce<Insertable<Database["event"]>, unknown>((value) =>
      db.insertInto("event").values({
        position: value("position"),
        project_id: value("project_id"),
        stream_kind: value("stream_kind"),
        stream_id: value("stream_id"),
        sequence: value("sequence"),
        run_id: value("run_id"),
        at: value("at"),
        body: value("body"),
        shown: value("shown"),
      }),
    ),
  };
}

interface Writing {
  readonly tx: Transaction<Database>;
  readonly queries: AppendQueries;
  readonly projectId: string;
}

/** @returns The event's sequence. */
async function appendIn(
  { tx, queries, projectId }: Writing,
  stream: StreamId,
  event: Omit<StoredEvent, "sequence"> & { readonly sequence: number | "next" },
  records: readonly StoreRecord[],
): Promise<number> {
  // Held until the commit, so writers stand in line here and what they read below cannot change under them.
  const [counter] = await queries.nextNumber(tx, { name: "event" });
  const { value: position } = present(counter, "a counter returns its value");
  const [newest] = await queries.last(tx, stream);
  const { last } = present(newest, "an aggregate has a row");
  const sequence = event.sequence === "next" ? last + 1 : event.sequence;
  if (sequence <= last) throw new SequenceTaken();
  assert(sequence === last + 1, `event ${sequence} of ${stream.kind} ${stream.id} follows ${last}`);
  for (const record of records) await writeRecord(tx, projectId, record);
  const [round] = stream.kind === "round" ? await queries.runOfRound(tx, { roundId: stream.id }) : [];
  await queries.insertEvent(tx, {
    position,
    project_id: projectId,
    stream_kind: stream.kind,
    stream_id: stream.id,
    sequence,
    run_id: stream.kind === "run" ? stream.id : (round?.run_id ?? null),
    at: event.at,
    body: toJson(event.event),
    shown: isShown(event.event),
  });
  return sequence;
}

/** The next number of a counter, from 1 without gaps; the row stays locked until the transaction ends. */
export async function nextNumber(db: Kysely<Database>, name: string): Promise<number> {
  const { value } = await nextNumberQuery(db, name).executeTakeFirstOrThrow();
  return value;
}

function nextNumberQuery(db: Kysely<Database>, name: string) {
  return db
    .insertInto("counter")
    .values({ name, value: 1 })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: sql<number>`counter.value + 1` }))
    .returning("value");
}

async function writeRecord(tx: Transaction<Database>, projectId: string, record: StoreRecord): Promise<void> {
  switch (record.type) {
    case "run-row":
      return writeRun(tx, record);
    case "round-row":
      return writeRound(tx, projectId, record);
    case "audit-leaf": {
      const leaf = { kind: record.kind, project_id: projectId, body: toJson(record.body) };
      await tx
        .insertInto("audit_leaf")
        .values({ sequence: await nextNumber(tx, "audit-leaf"), ...leaf })
        .execute();
      return;
    }
    case "task-row":
      return writeTask(tx, projectId, record);
    case "task-settings":
      return writeTaskSettings(tx, projectId, record);
    case "model-offered": {
      // The first offer stands: who asks wants to know whether this model was ever offered before.
      const offer = {
        model_hash: record.modelHash,
        project_id: projectId,
        run_id: record.runId,
        opened_sid: null,
      };
      await tx
        .insertInto("model_offer")
        .values(offer)
        .onConflict((conflict) => conflict.column("model_hash").doNothing())
        .execute();
      return;
    }
    case "model-opened":
      return markOpened(tx, record);
    case "model-version":
      return writeVersion(tx, projectId, record);
    case "open-slots":
      return openSlots(tx, projectId, record);
    case "close-slots":
      return closeSlots(tx, record);
    default:
      return unreachable(record);
  }
}

async function writeTask(
  tx: Transaction<Database>,
  projectId: string,
  { row }: RecordOf<"task-row">,
): Promise<void> {
  const { task, taskHash, actor, createdAt } = row;
  const created = await tx
    .insertInto("task")
    .values({
      project_id: projectId,
      slug: task.slug,
      version: task.version,
      task_hash: taskHash,
      body: toJson(task),
      actor,
      created_at: createdAt,
    })
    .onConflict((conflict) => conflict.columns(["project_id", "slug", "version"]).doNothing())
    .returning("version")
    .executeTakeFirst();
  if (created === undefined) throw new TaskExists(task);
}

/** Writers stand in line for the event's number, so none overwrites what another has just set. */
async function writeTaskSettings(
  tx: Transaction<Database>,
  projectId: string,
  { slug, changes }: RecordOf<"task-settings">,
): Promise<void> {
  const known = await tx
    .selectFrom("task_settings")
    .select("body")
    .where("project_id", "=", projectId)
    .where("slug", "=", slug)
    .executeTakeFirst();
  const body = toJson({ ...(known === undefined ? {} : (fromJson(known.body) as object)), ...changes });
  await tx
    .insertInto("task_settings")
    .values({ project_id: projectId, slug, body })
    .onConflict((conflict) => conflict.columns(["project_id", "slug"]).doUpdateSet({ body }))
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
}

async function writeRound(
  tx: Transaction<Database>,
  projectId: string,
  { roundId, row }: RecordOf<"round-row">,
): Promise<void> {
  const changing = { phase: row.phase, view: toJson(row.view) };
  await tx
    .insertInto("round")
    .values({ round_id: roundId, project_id: projectId, run_id: row.runId, round: row.round, ...changing })
    .onConflict((conflict) => conflict.column("round_id").doUpdateSet(changing))
    .execute();
}

/** The first session that opened a sum for the model stands. */
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
  tx: Transaction<Database>,
  projectId: string,
  { version }: RecordOf<"model-version">,
): Promise<void> {
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
    })
    // Metrics may follow later; the model of a round is fixed once it is written.
    .onConflict((conflict) =>
      conflict
        .columns(["run_id", "round"])
        .doUpdateSet({ metrics: toJson(version.metrics) })
        .where("model_version.model_hash", "=", version.modelHash),
    )
    .returning("round")
    .executeTakeFirst();
  assert(written !== undefined, `round ${version.round} of run ${version.runId} already has another model`);
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

/** Inputs that are kept must be there: a survivor set holds acknowledged inputs only. */
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
