import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { Places } from "../access/places.ts";
import type { Projects } from "../coordinator.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

const IN_USE = wireError("CONFLICT", "A run of this project is open. Stop it first; nothing was deleted.");

type ProjectPorts = Pick<CoordinatorPorts, "store" | "blobs" | "spool" | "heldOutFiles">;

/** @param launches  Closes a project to launches. Null while one is being checked, because it may still begin a run. */
export function createProjectDesk(
  { store, blobs, spool, heldOutFiles }: ProjectPorts,
  {
    isRunning,
    launches,
    places,
  }: {
    readonly isRunning: () => boolean;
    readonly launches: { closed(projectId: string): (() => void) | null };
    readonly places: Places;
  },
): Projects {
  const hasOpenRun = async (projectId: string) => {
    for (const runId of await store.openRunIds())
      if ((await store.findRun(runId))?.projectId === projectId) return true;
    return false;
  };
  /** Projects whose deletion was agreed to and failed. */
  const halfDeleted = new Map<string, () => void>();
  return {
    deleteData: async (projectId, agreed) => {
      if (!isRunning()) return err(wireError("UNAVAILABLE"));
      const reopen = halfDeleted.get(projectId) ?? launches.closed(projectId);
      if (reopen === null) return err(IN_USE);
      try {
        if (await hasOpenRun(projectId)) return err(IN_USE);
        const { taskCount, runCount, sids, blobHashes, slugs } = await store.findProjectData(projectId);
        const written = await agreed({ taskCount, runCount });
        if (!written.ok) return written;
        halfDeleted.set(projectId, reopen);
        // Without the rows nobody would find these files again.
        for (const sid of sids) await spool.discard(sid);
        for (const hash of blobHashes) await blobs.remove(hash);
        for (const slug of slugs) await heldOutFiles.remove(slug, null);
        await store.deleteProjectData(projectId);
        places.forget();
        halfDeleted.delete(projectId);
        return ok(undefined);
      } finally {
        if (!halfDeleted.has(projectId)) reopen();
      }
    },
  };
}
