import { expect, test } from "vitest";
import { AccessBook } from "#coordinator/core/access/book.ts";
import { ownSessionView } from "#coordinator/core/access/own-session.ts";
import type { PersonRow } from "#coordinator/core/access/rows.ts";
import type { ProjectRole } from "#shared/access/roles.ts";
import { present } from "#shared/kernel/assert.ts";
import { type OwnSession, ownSessionSchema } from "#shared/protocol/access-api.ts";
import { WHO_MAY } from "#test/kit/who-may.ts";
import { mayFor, projectsWhere } from "#web/data/may.ts";

/* What the pages know of what one may do, against the table that is written out by hand. */

const NOW = 1_800_000_000_000;
const PERSON_ID = "a".repeat(32);

/** The answer to someone with these roles, where there are the projects ward, lab and pilot. */
function sessionOf(
  roles: readonly { readonly projectId: string; readonly role: ProjectRole }[],
  isAdmin = false,
): OwnSession {
  const book = new AccessBook();
  for (const projectId of ["ward", "lab", "pilot"])
    book.apply([{ kind: "project", id: projectId, row: { projectId, madeAt: NOW, madeBy: "ada" } }]);
  const row: PersonRow = {
    personId: PERSON_ID,
    name: "bob",
    isAdmin,
    roles: [...roles],
    madeAt: NOW,
    salt: "5".repeat(64) as PersonRow["salt"],
    signsInWith: ["passkey"],
    rolesTaken: null,
    places: [],
    erasedAt: null,
  };
  book.apply([{ kind: "person", id: PERSON_ID, row }]);
  const rights = present(book.rightsOf(PERSON_ID), "bob's rights");
  const by = { type: "session", sessionId: "s", provedAt: 0 } as const;
  const person = { kind: "person", personId: PERSON_ID, name: "bob", rights, by } as const;
  return ownSessionSchema.parse(
    ownSessionView(book, person, { now: NOW, isNewPlace: false, newPlaceElsewhere: null }),
  );
}

/** What the table gives to this letter for a task of the project. */
const byHand = (letter: string) =>
  Object.entries(WHO_MAY)
    .filter(([, [, invited]]) => invited.includes(letter))
    .map(([permission]) => permission)
    .sort();

const RESEARCHER = { projectId: "ward", role: "researcher" } as const;
const AUDITOR = { projectId: "lab", role: "auditor" } as const;

test("[X93] the answer says what one may do in each project, and a role counts in its own alone", () => {
  const held = ({ projects }: OwnSession) =>
    projects.map(({ projectId, permissions }) => [projectId, permissions.toSorted()]);
  expect(held(sessionOf([RESEARCHER, AUDITOR]))).toEqual([
    ["lab", byHand("u")],
    ["ward", byHand("r")],
  ]);
  expect(held(sessionOf([], true))).toEqual(
    ["lab", "pilot", "ward"].map((projectId) => [projectId, byHand("a")]),
  );
});

test("[X93] a page asks for the project of the task, whatever one may do elsewhere", () => {
  const me = sessionOf([RESEARCHER, AUDITOR]);
  // The control: somewhere one may.
  expect(me.permissions).toContain("runs.launch");
  const may = mayFor(me);
  const inProject = (projectId: string) => ({ projectId });
  for (const permission of ["runs.launch", "runs.act", "tasks.create", "tasks.settings"]) {
    expect(may(permission, inProject("ward")), permission).toBe(true);
    for (const projectId of ["lab", "pilot", "toString"])
      expect(may(permission, inProject(projectId)), `${permission} in ${projectId}`).toBe(false);
  }
  expect(may("runs.read", inProject("lab"))).toBe(true);
  // While it is not known who reads, or which project it is.
  expect(mayFor(null)("runs.read", inProject("ward"))).toBe(false);
  expect([may("runs.read", {}), may("runs.read", null)]).toEqual([false, false]);
  expect(projectsWhere(me, "join-tokens.manage")).toEqual(["ward"]);
});

test("[X93] an admin acts in projects that are not listed yet, such as one made meanwhile; nobody else does", () => {
  const later = { projectId: "later" };
  const admin = mayFor(sessionOf([AUDITOR], true));
  expect(["runs.act", "tasks.settings"].map((permission) => admin(permission, later))).toEqual([true, true]);
  // What they hold as an auditor of one project.
  expect(admin("transcripts.read", { projectId: "lab" })).toBe(true);
  expect(admin("transcripts.read", later)).toBe(false);
  const other = mayFor(sessionOf([RESEARCHER, AUDITOR]));
  expect(["runs.read", "runs.act", "transcripts.read"].map((permission) => other(permission, later))).toEqual(
    [false, false, false],
  );
});
