import { describe, expect, test } from "vitest";
import type { ApiTokenView, PersonView, ProposalView } from "#shared/protocol/access-api.ts";
import {
  actNote,
  adminLead,
  apiTokenEntry,
  edgeCommand,
  goodUntil,
  invitationState,
  joinTokenEntry,
  lastSeenWords,
  mayDecide,
  namesAmong,
  proposalEnd,
  proposalEntry,
  proposalFacts,
  proposalTitle,
  proposedEntry,
  roleChangeEntries,
  rolesWords,
  siteNamedEntry,
  siteState,
  tokenEnds,
} from "#web/words/access.ts";

const NOW = Date.parse("2026-07-08T12:00:00Z");
const T19C = "c".repeat(32);
const person = (over: Partial<PersonView> = {}): PersonView => ({
  personId: T19C,
  name: "t19c",
  isAdmin: false,
  roles: [{ projectId: "readmission", role: "researcher" }],
  signsInWith: ["passkey"],
  lastSeenAt: null,
  madeAt: "2026-06-02T08:00:00Z",
  ...over,
});
const personOf = namesAmong([person()]);
const proposal = (over: Partial<ProposalView> = {}): ProposalView => ({
  proposalId: "a".repeat(32),
  act: { type: "take-admin-role", personId: T19C },
  reason: "Has left.",
  madeBy: "m03a",
  madeAt: "2026-07-08T09:20:00Z",
  endsAt: "2026-07-09T09:20:00Z",
  end: null,
  sentence: "k7f2 agreed to take the role of admin from t19c.",
  alone: false,
  waitsFor: ["p88d", "k7f2"],
  ...over,
});
const token = (over: Partial<ApiTokenView> = {}): ApiTokenView => ({
  tokenId: "b".repeat(32),
  shown: "cht_3f9a",
  label: "Grafana",
  madeBy: "k7f2",
  scopes: ["metrics"],
  madeAt: "2026-07-01T12:00:00Z",
  endsAt: "2026-07-12T13:00:00Z",
  lastUsedAt: null,
  isRevoked: false,
  ...over,
});

describe("the lead of the admin page", () => {
  test("[X91] a new API token is kept with what it may do, in words", () => {
    expect(apiTokenEntry(["read"], "k7f2")).toBe("k7f2 made an API token that may read.");
    expect(apiTokenEntry(["read", "runs", "tasks"], "k7f2")).toBe(
      "k7f2 made an API token that may read, launch and stop runs, and make tasks.",
    );
  });

  test("counts what waits for its reader and what ends soon", () => {
    const lead = (proposals: ProposalView[], tokens: ApiTokenView[], backupAt?: string | null) =>
      adminLead(
        {
          proposals,
          tokens,
          backup:
            backupAt === undefined
              ? null
              : { lastBackup: backupAt === null ? null : { at: backupAt, byteCount: 1 } },
        },
        "k7f2",
        NOW,
      );
    expect(lead([proposal()], [token()], "2026-07-07T09:00:00Z")).toBe(
      "One proposal waits for you, the last backup is 27 hours old, and an API token ends in 4 days.",
    );
    expect(lead([proposal(), proposal()], [])).toBe("Two proposals wait for you.");
    expect(lead([], [], null)).toBe("There is no backup yet.");
    expect(
      lead([proposal({ waitsFor: ["p88d"] })], [token({ isRevoked: true })], "2026-07-08T09:00:00Z"),
    ).toBe("Nothing waits for you, nothing is late, and nothing ends within a week.");
    expect(lead([], [token(), token()])).toBe("Two API tokens end within a week.");
  });
});

describe("a proposal", () => {
  test("says who asked, whom it waits for and until when, with the reader first", () => {
    expect(proposalFacts(proposal(), "k7f2", NOW)).toBe(
      "Asked for by m03a, today, 09:20. It waits for you or p88d until tomorrow, 09:20.",
    );
    expect(proposalTitle(proposal().act, personOf)).toBe("Take the role of admin from t19c.");
  });

  test("[X84] is decided by those it waits for, while it is open", () => {
    expect(mayDecide(proposal(), "k7f2")).toBe(true);
    expect(mayDecide(proposal(), "m03a")).toBe(false);
    const end = { how: "refused", at: "2026-07-08T10:00:00Z", by: "p88d" } as const;
    expect(mayDecide(proposal({ end }), "k7f2")).toBe(false);
    expect(proposalEnd(proposal({ end }), "k7f2", NOW)).toEqual({
      mark: "refused",
      words: "refused by p88d, today, 10:00",
    });
  });

  test("[X91] shows a reader who may agree their own entry, and others those who may", () => {
    expect(proposalEntry(proposal(), "k7f2", personOf)).toBe(proposal().sentence);
    expect(proposalEntry(proposal(), "m03a", personOf)).toBe(
      "p88d or k7f2 agreed to take the role of admin from t19c.",
    );
    expect(proposedEntry({ type: "delete-project-data", projectId: "pilot" }, "k7f2", personOf)).toBe(
      "k7f2 proposed to delete all data of the project pilot.",
    );
    expect(actNote({ type: "delete-project-data", projectId: "pilot" }, personOf)).toContain(
      "cannot be taken back",
    );
  });
});

describe("[X91] a change of roles", () => {
  test("is one entry a role, given ones first; none if nothing changes", () => {
    const after = [{ role: "auditor", projectId: "readmission" }] as const;
    expect(roleChangeEntries(person(), after, "k7f2")).toEqual([
      "k7f2 made t19c an auditor of readmission.",
      "k7f2 took the role of researcher of readmission from t19c.",
    ]);
    const same = [{ role: "researcher", projectId: "readmission" }] as const;
    expect(roleChangeEntries(person(), same, "k7f2")).toEqual([]);
  });

  test("roles in words", () => {
    expect(rolesWords(person({ isAdmin: true }))).toBe("admin, researcher of readmission");
    expect(rolesWords(person({ roles: [] }))).toBe("none");
  });
});

test("an invitation and a site say how they stand, with a mark", () => {
  const invitation = { state: "used", usedBy: "b42s" } as Parameters<typeof invitationState>[0];
  expect(invitationState(invitation)).toEqual({ mark: "done", words: "used by b42s" });
  expect(invitationState({ ...invitation, state: "ran-out" }).words).toBe("ran out, never used");
  const site = { state: "takes-part", task: null, projectId: "readmission" } as Parameters<
    typeof siteState
  >[0];
  expect(siteState(site)).toEqual({ mark: "done", words: "in readmission" });
  expect(siteState({ ...site, state: "not-enrolled" }).words).toBe("not enrolled yet");
  expect(siteNamedEntry("Clinic North", "k7f2", "readmission")).toBe("k7f2 named the site Clinic North.");
});

test("a token that ends within a week is pointed out; one that ended says so", () => {
  expect(tokenEnds(token(), NOW)).toEqual({ mark: "alarm", words: "in 4 days" });
  expect(tokenEnds(token({ endsAt: "2026-07-08T20:00:00Z" }), NOW).words).toBe("within a day");
  expect(tokenEnds(token({ endsAt: "2026-10-02T00:00:00Z" }), NOW)).toEqual({
    mark: null,
    words: "2 October",
  });
  expect(tokenEnds(token({ endsAt: "2026-07-07T20:00:00Z" }), NOW)).toEqual({
    mark: "stopped",
    words: "ended, yesterday",
  });
  expect(tokenEnds(token({ isRevoked: true }), NOW).words).toBe("revoked");
  // A join token is made for a few days, which alarms nobody.
  expect(goodUntil(token(), NOW)).toEqual({ mark: null, words: "12 July" });
  expect(goodUntil({ ...token({ isRevoked: true }), devicesRemoved: true }, NOW)).toEqual({
    mark: "stopped",
    words: "revoked, its devices removed",
  });
});

test("a join token's entry and command name its task, or the whole project", () => {
  const terms = { projectId: "readmission", task: null, uses: 1 };
  expect(joinTokenEntry(terms, "k7f2")).toBe("k7f2 made a join token for 1 device of readmission.");
  expect(edgeCommand("chj_x", "https://chorus.example/", "digits")).toBe(
    "CHORUS_TOKEN=chj_x npm run edge -- --coordinator https://chorus.example --task digits --data FILE",
  );
  expect(edgeCommand("chj_x", "https://chorus.example", null)).toContain("--task TASK");
});

test("when someone was last seen", () => {
  expect(lastSeenWords(null, NOW)).toBe("never");
  expect(lastSeenWords("2026-07-08T11:59:48Z", NOW)).toBe("12\u00a0s ago");
  expect(lastSeenWords("2026-07-08T11:56:00Z", NOW)).toBe("4\u00a0min ago");
  expect(lastSeenWords("2026-07-07T17:02:00Z", NOW)).toBe("yesterday, 17:02");
});
