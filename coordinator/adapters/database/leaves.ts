import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import type { LeafStore, StagedLeaf } from "#coordinator/core/ports/leaf-store.ts";
import type { Json } from "#shared/codec/canonical-json.ts";
import { assert } from "#shared/kernel/assert.ts";
import { encodeLeaf, leafSubject } from "#shared/tlog/leaf.ts";
import { nextNumberQuery } from "./counters.ts";
import { fromJson, inBatches, toJson } from "./page.ts";
import type { Database } from "./schema.ts";

const COUNTER = "audit-leaf";
/** `log_head` has one row. */
const ONLY_ID = 1;

/**
 * Writes leaves at the end of those that are staged. The counter's row stays locked until the commit, so that sequences have
 * no gaps and leaves become visible in their order.
 *
 * @returns The sequence of the last.
 */
export async function writeLeaves(
  tx: Transaction<Database>,
  projectId: string,
  leaves: readonly (Omit<StagedLeaf, "sequence"> & { readonly actor?: string | null })[],
): Promise<number> {
  const last = (await nextNumberQuery(tx, COUNTER, leaves.length).executeTakeFirstOrThrow()).value;
  const first = last - leaves.length + 1;
  await insertLeaves(
    tx,
    projectId,
    leaves.map((leaf, index) => ({ ...leaf, sequence: first + index })),
  );
  return last;
}

async function insertLeaves(
  tx: Transaction<Database>,
  projectId: string,
  leaves: readonly (StagedLeaf & { readonly actor?: string | null })[],
): Promise<void> {
  const rows = leaves.map(({ sequence, kind, at, body, actor = null }) => {
    // A leaf that cannot be written into the log would stop it for ever.
    encodeLeaf(kind, at, body);
    return {
      sequence,
      project_id: projectId,
      kind,
      at,
      subject: leafSubject(kind, body),
      body: toJson(body),
      actor,
    };
  });
  for (const batch of inBatches(rows)) await tx.insertInto("audit_leaf").values(batch).execute();
}

/** Moves the leaves from `first` on behind as many others. The head has none of them. */
async function displaceLeaves(tx: Transaction<Database>, first: number, count: number): Promise<void> {
  const head = await tx.selectFrom("log_head").select("size").executeTakeFirst();
  assert(first > (head?.size ?? 0), `leaf ${first} has its place under the head`);
  // Over negative numbers, so that no two ever have the same.
  await tx
    .updateTable("audit_leaf")
    .set({ sequence: sql<number>`-(sequence + ${count})` })
    .where("sequence", ">=", first)
    .execute();
  await tx
    .updateTable("audit_leaf")
    .set({ sequence: sql<number>`-sequence` })
    .where("sequence", "<", 0)
    .execute();
}

/** @param projectId  Of leaves that come with no event. */
export function leafQueries(db: Kysely<Database>, projectId: string): LeafStore {
  const select = () => db.selectFrom("audit_leaf").select(["sequence", "kind", "at", "body"]);
  return {
    stageLeaves: (leaves, at) =>
      db.transaction().execute((tx) =>
        writeLeaves(
          tx,
          projectId,
          leaves.map(({ kind, body }) => ({ kind, at, body })),
        ),
      ),
    findLeaves: async (kind, subject) => {
      const rows = await select()
        .where("kind", "=", kind)
        .where("subject", "=", subject)
        .orderBy("sequence")
        .execute();
      return rows.map(stagedLeaf);
    },
    leavesAfter: async (size, countMax) => {
      const rows = await select().where("sequence", ">", size).orderBy("sequence").limit(countMax).execute();
      return rows.map(stagedLeaf);
    },
    leavesBefore: async ({ before, countMax, kind, from, to, by }) => {
      let query = select()
        .select(["project_id", "actor"])
        .where("sequence", "<", before)
        .orderBy("sequence", "desc")
        .limit(countMax);
      if (kind !== undefined) query = query.where("kind", "=", kind);
      if (from !== undefined) query = query.where("at", ">=", from);
      if (to !== undefined) query = query.where("at", "<=", to);
      if (by !== undefined) {
        query = query.where("actor", "=", by.actor);
        if (by.projects !== "all") {
          if (by.projects.length === 0) return [];
          query = query.where("project_id", "in", by.projects);
        }
        if (by.besides.length > 0) query = query.where("kind", "not in", by.besides);
      }
      const rows = await query.execute();
      return rows.map(({ project_id: projectId, actor, ...row }) => ({
        ...stagedLeaf(row),
        projectId,
        actor,
      }));
    },
    importLeaves: (leaves, displacedCount = 0) =>
      db.transaction().execute(async (tx) => {
        const first = leaves[0]?.sequence;
        if (first === undefined) return;
        // Locks the counter, so that nothing is staged meanwhile.
        const { value } = await nextNumberQuery(tx, COUNTER, leaves.length).executeTakeFirstOrThrow();
        const last = value - displacedCount;
        assert(
          leaves.every(({ sequence }, index) => sequence === last - leaves.length + 1 + index),
          `leaf ${first} is imported as another`,
        );
        if (displacedCount > 0) await displaceLeaves(tx, first, leaves.length);
        await insertLeaves(tx, projectId, leaves);
      }),
    logHead: async () => {
      const row = await db.selectFrom("log_head").select(["size", "root", "note"]).executeTakeFirst();
      return row ?? null;
    },
    moveLogHead: async (from, to) => {
      const moved =
        from === null
          ? await db
              .insertInto("log_head")
              .values({ id: ONLY_ID, ...to })
              .onConflict((conflict) => conflict.column("id").doNothing())
              .returning("size")
              .executeTakeFirst()
          : await db
              .updateTable("log_head")
              .set(to)
              .where("id", "=", ONLY_ID)
              .where("size", "=", from)
              .returning("size")
              .executeTakeFirst();
      return moved !== undefined;
    },
  };
}

type LeafRow = Pick<Selectable<Database["audit_leaf"]>, "sequence" | "kind" | "at" | "body">;

function stagedLeaf({ body, ...row }: LeafRow): StagedLeaf {
  // Written by the core.
  return { ...row, body: fromJson(body) as StagedLeaf["body"] };
}

/** A record's body, which is written as JSON. */
export function leafBody(body: unknown): StagedLeaf["body"] {
  return fromJson(toJson(body)) as Readonly<Record<string, Json>>;
}
