import type { ActedLeaf, LeafStore, StagedLeaf } from "#coordinator/core/ports/leaf-store.ts";
import { assert } from "#shared/kernel/assert.ts";
import { encodeLeaf, leafSubject } from "#shared/tlog/leaf.ts";
import type { MemoryDatabase } from "./memory-database.ts";

export function pushLeaf(db: Pick<MemoryDatabase, "leaves">, leaf: Omit<StagedLeaf, "sequence">): void {
  encodeLeaf(leaf.kind, leaf.at, leaf.body);
  db.leaves.push(leaf);
}

export function memoryLeaves(
  db: Pick<MemoryDatabase, "leaves" | "leafActs" | "logHeads">,
  turn: () => Promise<void>,
): LeafStore {
  const numbered = () => db.leaves.map((leaf, index) => ({ sequence: index + 1, ...leaf }));
  // Those that come with no event are the home project's, and nobody's act.
  const acted = (): readonly ActedLeaf[] =>
    numbered().map((leaf, index) => ({
      ...leaf,
      ...(db.leafActs.get(index) ?? { projectId: "default", actor: null }),
    }));
  return {
    stageLeaves: async (leaves, at) => {
      await turn();
      for (const { kind, body } of leaves) pushLeaf(db, { kind, at, body });
      return db.leaves.length;
    },
    findLeaves: async (kind, subject) => {
      await turn();
      return numbered().filter(
        (leaf) => leaf.kind === kind && leaf.at !== null && leafSubject(kind, leaf.body) === subject,
      );
    },
    leavesAfter: async (size, countMax) => {
      await turn();
      return numbered().slice(size, size + countMax);
    },
    leavesBefore: async ({ before, countMax, kind, from, to, by }) => {
      await turn();
      const fits = (leaf: ActedLeaf) =>
        leaf.sequence < before &&
        (kind === undefined || leaf.kind === kind) &&
        (from === undefined || (leaf.at !== null && leaf.at >= from)) &&
        (to === undefined || (leaf.at !== null && leaf.at <= to)) &&
        (by === undefined ||
          (leaf.actor === by.actor &&
            (by.projects === "all" || by.projects.includes(leaf.projectId)) &&
            !by.besides.includes(leaf.kind)));
      return acted().filter(fits).toReversed().slice(0, countMax);
    },
    importLeaves: async (leaves, displacedCount = 0) => {
      await turn();
      const size = db.leaves.length - displacedCount;
      for (const [index, { sequence }] of leaves.entries())
        assert(sequence === size + 1 + index, `leaf ${sequence} is imported as another`);
      if (displacedCount > 0)
        assert(size >= (db.logHeads[0]?.size ?? 0), `leaf ${size + 1} has its place under the head`);
      const displaced = db.leaves.splice(size);
      for (const { kind, at, body } of leaves) pushLeaf(db, { kind, at, body });
      db.leaves.push(...displaced);
      const acts = [...db.leafActs].filter(([index]) => index >= size);
      for (const [index] of acts) db.leafActs.delete(index);
      for (const [index, act] of acts) db.leafActs.set(index + leaves.length, act);
    },
    logHead: async () => {
      await turn();
      return db.logHeads[0] ?? null;
    },
    moveLogHead: async (from, to) => {
      await turn();
      if ((db.logHeads[0]?.size ?? null) !== from) return false;
      db.logHeads[0] = to;
      return true;
    },
  };
}
