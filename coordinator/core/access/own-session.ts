import type { z } from "zod";
import { present } from "#shared/kernel/assert.ts";
import type { ownSessionSchema } from "#shared/protocol/access-api.ts";
import type { AccessBook } from "./book.ts";
import {
  type About,
  PERMISSIONS,
  type Permission,
  permissionRefusal,
  STEP_UP_MS,
  THE_WHOLE,
} from "./permissions.ts";
import type { Person } from "./principal.ts";

/** Of no project, so that no role of one counts. */
const NO_PROJECT = "";

interface SessionFacts {
  /** Unix milliseconds, as the others. */
  readonly now: number;
  readonly isNewPlace: boolean;
  /** When another session of this person was opened from a new place; null for none. */
  readonly newPlaceElsewhere: number | null;
}

/** What the pages know about whoever has signed in. */
export function ownSessionView(
  book: AccessBook,
  person: Person,
  { now, isNewPlace, newPlaceElsewhere }: SessionFacts,
): z.output<typeof ownSessionSchema> {
  const { personId, by } = person;
  const row = present(book.get("person", personId), "someone who has signed in");
  const projects = row.isAdmin
    ? book.list("project").map(({ projectId }) => projectId)
    : [...new Set(row.roles.map(({ projectId }) => projectId))];
  // Whether the proof is fresh is another question.
  const provedAt = by.type === "session" ? by.provedAt : now;
  const heldFor = (about: About) =>
    (Object.keys(PERMISSIONS) as Permission[]).filter(
      (permission) => permissionRefusal(person, permission, about, provedAt) === null,
    );
  return {
    personId,
    name: row.name,
    isAdmin: row.isAdmin,
    roles: [...row.roles],
    permissions: heldFor(THE_WHOLE),
    inEveryProject: heldFor({ projectId: NO_PROJECT, task: null }),
    projects: projects
      .sort()
      .map((projectId) => ({ projectId, permissions: heldFor({ projectId, task: null }) })),
    signsInWith: [...row.signsInWith],
    isProved: by.type === "session" && now - by.provedAt <= STEP_UP_MS,
    isNewPlace,
    newPlaceElsewhereAt: newPlaceElsewhere === null ? null : new Date(newPlaceElsewhere).toISOString(),
    now: new Date(now).toISOString(),
    by: by.type,
  };
}
