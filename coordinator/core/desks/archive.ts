import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { loggedInProject, type ProjectEvent, projectFactOf } from "#shared/project/log.ts";
import { projectSentence } from "#shared/project/sentences.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { type RegistryEvent, registryFactOf } from "#shared/registry/log.ts";
import { registrySentence } from "#shared/registry/sentences.ts";
import type { Tasks } from "../coordinator.ts";
import type { HeldOutSets } from "../models/held-out-sets.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { StoredTask } from "../ports/store.ts";
import type { RunDesk } from "../runs/run-desk.ts";

type ArchivePorts = Pick<CoordinatorPorts, "store" | "wall">;
export interface ArchiveParts {
  readonly heldOut: Pick<HeldOutSets, "inTurn">;
  readonly runs: Pick<RunDesk, "archive" | "openRuns" | "activeRun">;
}

type Logged = { readonly at: number; readonly event: ProjectEvent };

/** Archiving a task, and what people decided about it (A20). */
export function archiveActs(
  { store, wall }: ArchivePorts,
  { runs, heldOut }: ArchiveParts,
): Pick<Tasks, "archive" | "archiveView" | "taskHistory"> {
  const eventOf = (
    { task: { slug, version } }: StoredTask,
    actor: string,
  ): Extract<ProjectEvent, { type: "task-archived" }> => {
    const active = runs.activeRun(slug);
    const state = active?.state;
    return {
      type: "task-archived",
      slug,
      version,
      actor,
      activeRun:
        state === undefined
          ? null
          : { number: state.facts.number, round: state.roundIsOpen ? state.round : null },
      queuedRuns: runs.openRuns(slug).ofTask - (active === null ? 0 : 1),
    };
  };
  const viewOf = async (stored: StoredTask, actor: string) => {
    const { archived } = stored.settings;
    if (archived === null) return { archived, sentence: projectSentence(eventOf(stored, actor)) };
    const log = await eventsOf(store, stored);
    const last = log.findLast(({ event }) => event.type === "task-archived");
    assert(last !== undefined, "a task is archived by an event");
    return { archived, sentence: projectSentence(last.event) };
  };
  return {
    archiveView: async (slug, actor) => {
      const stored = await store.findTask(slug);
      return stored === null ? null : viewOf(stored, actor);
    },
    archive: async (slug, actor) => {
      const done = await heldOut.inTurn(async () => {
        const stored = await store.findTask(slug);
        if (stored === null) return err(wireError("NOT_FOUND"));
        if (stored.settings.archived !== null)
          return err(wireError("CONFLICT", alreadyArchived(stored.settings.archived)));
        const at = wall.nowUnixMs();
        const archived = { at: new Date(at).toISOString(), by: actor };
        const event = eventOf(stored, actor);
        const written = await store.appendNext(
          { kind: "project", id: stored.projectId },
          { at, event: loggedInProject(event) },
          [
            { type: "task-settings", slug, changes: { archived } },
            {
              type: "audit-leaf",
              kind: "task.archived",
              body: { version: 1, slug, taskVersion: stored.task.version },
              actor,
            },
          ],
        );
        assert(written.ok, "a task is archived, none is made");
        return ok({ archived, sentence: projectSentence(event) });
      });
      if (done.ok) await runs.archive(slug, actor);
      return done;
    },
    taskHistory: async (slug) => {
      const stored = await store.showTask(slug);
      if (stored === null) return null;
      const decided = (await eventsOf(store, stored))
        // Nobody decided that, and it comes with every round of a coordinator that keeps some.
        .filter(({ event }) => event.type !== "transcripts-deleted")
        .map(({ at, event }) => ({ at, type: event.type, sentence: projectSentence(event) }));
      const ofModels = (await registryEventsOf(store, slug)).map(({ at, event }) => {
        return { at, type: event.type, sentence: registrySentence(event) };
      });
      const all = [...decided, ...ofModels].sort((one, other) => one.at - other.at).reverse();
      return { items: all.map((item) => ({ ...item, at: new Date(item.at).toISOString() })) };
    },
  };
}

function alreadyArchived({ at, by }: { readonly at: string; readonly by: string }): string {
  return `Archived on ${at.slice(0, 10)} by ${by}. Nobody can join. Models, log and figures stay. A new version takes the task up again.`;
}

/** What the project's stream has about a task, oldest first. Rows of a newer program are left out. */
async function eventsOf(
  store: Pick<CoordinatorPorts["store"], "readStream">,
  { projectId, task: { slug } }: StoredTask,
): Promise<Logged[]> {
  const rows = await store.readStream({ kind: "project", id: projectId });
  return rows.flatMap((row) => {
    const fact = projectFactOf(row);
    return fact.ok && fact.value.slug === slug ? [{ at: row.at, event: fact.value }] : [];
  });
}

/** What a task's registry has, oldest first. Rows of a newer program are left out. */
async function registryEventsOf(
  store: Pick<CoordinatorPorts["store"], "readStream">,
  slug: string,
): Promise<readonly { readonly at: number; readonly event: RegistryEvent }[]> {
  const rows = await store.readStream({ kind: "registry", id: slug });
  return rows.flatMap((row) => {
    const fact = registryFactOf(row);
    return fact.ok ? [{ at: row.at, event: fact.value }] : [];
  });
}
