import { describe, expect, test } from "vitest";
import {
  type About,
  PERMISSIONS,
  type Permission,
  permissionRefusal,
  readableBy,
  STEP_UP_MS,
  THE_WHOLE,
} from "#coordinator/core/access/permissions.ts";
import { refusalAt } from "#coordinator/core/access/places.ts";
import type { Person, Principal } from "#coordinator/core/access/principal.ts";
import type { ProjectRole, TokenScope } from "#shared/access/roles.ts";
import { WHO_MAY } from "#test/kit/who-may.ts";

/* Every permission for every kind of asker, against a table written out by hand. */

const NOW = 1_800_000_000_000;
const OWN = "ward";
const OTHER = "lab";

const PUBLIC: About = { projectId: OWN, task: { slug: "readmission", joining: "public" } };
const INVITED: About = { projectId: OWN, task: { slug: "readmission", joining: "invitation" } };

interface Roles {
  readonly isAdmin?: boolean;
  readonly own?: ProjectRole;
  readonly other?: ProjectRole;
}

function person(
  { isAdmin = false, own, other }: Roles,
  by: Person["by"] = { type: "session", sessionId: "s", provedAt: NOW },
): Person {
  const roles: [string, ReadonlySet<ProjectRole>][] = [];
  if (own !== undefined) roles.push([OWN, new Set([own])]);
  if (other !== undefined) roles.push([OTHER, new Set([other])]);
  return {
    kind: "person",
    personId: "p",
    name: "ada",
    rights: { isAdmin, rolesByProject: new Map(roles) },
    by,
  };
}
const token = (scope: TokenScope): Person["by"] => ({
  type: "token",
  tokenId: "t",
  scopes: new Set([scope]),
});
const STALE: Person["by"] = { type: "session", sessionId: "s", provedAt: NOW - STEP_UP_MS - 1 };

/** By the letters of the table. */
const ASKERS: Readonly<Record<string, Principal>> = {
  // Nobody, and whose token or session has ended: principals makes nobody of them.
  n: { kind: "anyone" },
  i: { kind: "invited", projectId: OWN, task: "readmission" },
  j: { kind: "invited", projectId: OWN, task: null },
  w: { kind: "invited", projectId: OWN, task: "another" },
  x: { kind: "invited", projectId: OTHER, task: null },
  d: { kind: "device", identity: "ab".repeat(32), task: "readmission" },
  e: { kind: "device", identity: "ab".repeat(32), task: "another" },
  k: { kind: "auditor-key" },
  r: person({ own: "researcher" }),
  u: person({ own: "auditor" }),
  a: person({ isAdmin: true }),
  o: person({ other: "researcher" }),
  p: person({ other: "auditor" }),
  // A session of someone whose roles were taken while a request was under way.
  z: person({}),
  // An admin who has not proved it lately.
  s: person({ isAdmin: true }, STALE),
  // Tokens of an admin who is also the project's auditor, by scope.
  "1": person({ isAdmin: true, own: "auditor" }, token("read")),
  "2": person({ isAdmin: true, own: "auditor" }, token("runs")),
  "3": person({ isAdmin: true, own: "auditor" }, token("tasks")),
  "4": person({ isAdmin: true, own: "auditor" }, token("audit")),
  "5": person({ isAdmin: true, own: "auditor" }, token("metrics")),
  // A token may never do more than its maker may.
  "6": person({ other: "researcher" }, token("runs")),
};
const sorted = (letters: string) => [...letters].sort().join("");

describe("[X37] the table of permissions", () => {
  test("names every permission", () => {
    expect(Object.keys(WHO_MAY).sort()).toEqual(Object.keys(PERMISSIONS).sort());
  });

  describe.each(Object.keys(PERMISSIONS) as Permission[])("%s", (permission) => {
    test.each([
      ["a public task", 0, PUBLIC],
      ["a task by invitation", 1, INVITED],
      ["the whole", 2, THE_WHOLE],
    ] as const)("for %s", (_, column, about) => {
      const allowed = Object.entries(ASKERS)
        .filter(([, asker]) => permissionRefusal(asker, permission, about, NOW) === null)
        .map(([letter]) => letter);
      expect(sorted(allowed.join(""))).toBe(sorted(WHO_MAY[permission][column]));
    });
  });

  test("says what helps: signing in, proving again, or nothing", () => {
    const codeOf = (asker: Principal | undefined, permission: Permission) =>
      permissionRefusal(asker as Principal, permission, PUBLIC, NOW)?.code;
    for (const letter of "nijwxk") expect(codeOf(ASKERS[letter], "runs.act")).toBe("NOT_AUTHENTICATED");
    for (const letter of "deuopz1345") expect(codeOf(ASKERS[letter], "runs.act")).toBe("FORBIDDEN");
    for (const permission of ["people.manage", "proposals.decide", "tokens.own", "credentials.own"] as const)
      expect(codeOf(ASKERS["s"], permission)).toBe("STEP_UP_NEEDED");
  });
});

describe("[X32] something at a place", () => {
  const hidden = { projectId: OWN, slug: "readmission", joining: "invitation" } as const;
  const open = { ...hidden, joining: "public" } as const;
  const codeOf = (letter: string, permission: Permission, places: readonly (typeof hidden | typeof open)[]) =>
    refusalAt(ASKERS[letter] as Principal, permission, places, NOW);

  test("is like what does not exist to whoever may not read its task", () => {
    const unknown = refusalAt(ASKERS["a"] as Principal, "tasks.read", [], NOW);
    expect(unknown?.code).toBe("NOT_FOUND");
    for (const letter of "nwxeopz6")
      for (const permission of ["models.read", "runs.read", "runs.act", "transcripts.read"] as const)
        expect(codeOf(letter, permission, [hidden]), letter + permission).toEqual(unknown);
    for (const letter of "nwxeopz6")
      expect(codeOf(letter, "tasks.read", [hidden])?.code).toBe("BY_INVITATION");
  });

  test("is refused as such to whoever may read its task, and one place is enough", () => {
    expect(codeOf("u", "runs.act", [hidden])?.code).toBe("FORBIDDEN");
    expect(codeOf("o", "runs.act", [open])?.code).toBe("FORBIDDEN");
    expect(codeOf("n", "models.read", [hidden, open])).toBeNull();
  });

  test("is in the lists of those who may read it", () => {
    const shown = (letter: string) => readableBy(ASKERS[letter] as Principal, "tasks.read");
    for (const letter of "ak1s") expect(shown(letter)).toEqual({ projects: "all", orPublic: true });
    for (const letter of "ruj") expect(shown(letter)).toEqual({ projects: [OWN], orPublic: true });
    for (const letter of "nidez25") expect(shown(letter)).toEqual({ projects: [], orPublic: true });
    expect(readableBy(ASKERS["o"] as Principal, "runs.read")).toEqual({ projects: [OTHER], orPublic: false });
    expect(readableBy(ASKERS["u"] as Principal, "tasks.create").projects).toEqual([]);
  });
});
