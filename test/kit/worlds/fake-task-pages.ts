import type { HeldOutView, TaskView } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";

/* What the made-up federation says of a task beside its newest version. */

const HELD_OUT: HeldOutView = {
  hash: "3f9ac1d077be".padEnd(64, "0") as HeldOutView["hash"],
  format: "csv",
  byteCount: 79_000,
  rowCount: 640,
  balance: {
    kind: "classes",
    counts: [
      { name: "no", rows: 546 },
      { name: "yes", rows: 94 },
    ],
  },
  card: {
    source: "regional registry, decisions of 2025",
    licence: "for this project only, until June 2028",
    ground: "ethics board, decision 2026-118",
    collected: "January to December 2025",
  },
  versions: [2, 3, 4],
  setAt: "2026-07-02T09:12:00.000Z",
  setBy: "k7f2",
  isUsed: true,
};

export function heldOutOf({ slug }: Task): HeldOutView | null {
  return slug === "hmda" ? HELD_OUT : null;
}

/** Null if there is no such thing. @param part  What follows the slug in the address. */
export function taskPart(view: TaskView, part: string): unknown {
  const { task } = view;
  if (part === "held-out") return { set: heldOutOf(task), uploads: [] };
  if (part === "archive") {
    return { archived: null, sentence: `k7f2 archived ${task.slug} at version ${task.version}.` };
  }
  if (part === "settings") return { slug: task.slug, settings: { invitation: null, joining: "public" } };
  if (part === "history") {
    const at = "2026-07-08T14:36:00.000Z";
    const sentence = `k7f2 published version ${task.version} of ${task.slug}.`;
    return { items: [{ at, type: "task-created", sentence }] };
  }
  if (part === "versions") {
    const versions = Array.from({ length: task.version }, (_, back) => versionOf(view, task.version - back));
    return { items: versions, next: null };
  }
  const version = Number(part);
  return Number.isInteger(version) ? versionOf(view, version) : null;
}

function versionOf(view: TaskView, version: number): TaskView | null {
  const { task } = view;
  if (version < 1 || version > task.version) return null;
  if (version === task.version) return view;
  // Each version before trained in batches of twice the size.
  const batchSize = task.training.batchSize * 2 ** (task.version - version);
  return { ...view, task: { ...task, version, training: { ...task.training, batchSize } } };
}
