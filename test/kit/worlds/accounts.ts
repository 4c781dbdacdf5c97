import type { AccessDesk } from "#coordinator/core/access/desk.ts";
import { STEP_UP_MS } from "#coordinator/core/access/permissions.ts";
import type { AccessParts } from "#coordinator/open-access.ts";
import type { Role, TokenScope } from "#shared/access/roles.ts";
import { newToken } from "#shared/access/tokens.ts";
import { openSealed } from "#shared/crypto/sealed-box.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Result } from "#shared/kernel/result.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import type { ManualClock } from "../fakes/manual-clock.ts";

/**
 * Somebody who can ask over HTTP. The letter is that of `WHO_MAY`; "!" for a bearer token that is not in force, which
 * is refused everywhere.
 */
export interface Account {
  readonly name: string;
  readonly letter: string;
  /** What makes a request theirs, now: sessions and passes end and are opened again. */
  headers(): Promise<Headers>;
  /** Uses its session, so that it does not end of idleness: it cannot be opened again as it is. */
  keep?(): Promise<unknown>;
}
type Headers = readonly (readonly [string, string])[];

/** Holds every permission that one can hold over HTTP: an admin with a fresh proof, who also audits the project. */
export const GOOD_ACCOUNT = "ada";

export interface AccountsOf {
  readonly parts: AccessParts;
  /** Of the doors. */
  readonly clock: ManualClock;
  readonly projectId: string;
  readonly task: string;
  /** Of the auditor for whom rounds are kept. */
  readonly auditorSecret: Bytes;
}

/** Ids of what the project and the coordinator have, by the start of the path that names them. */
export type ThingIds = Readonly<Record<string, string>>;

const OTHER_PROJECT = "lab";
const HOUR_MS = 3_600_000;
const NOTHING: Headers = [];
const bearer = (token: string): Headers => [["authorization", `Bearer ${token}`]];
const cookie = (token: string): Headers => [["cookie", `chorus-local=${token}`]];

/** Makes everybody who can ask, on a coordinator whose only admin is ada. */
export async function openAccounts(of: AccountsOf): Promise<readonly Account[]> {
  const { parts, projectId } = of;
  const { accessDesk: desk } = parts;
  done(await desk.makeProject(OTHER_PROJECT, "ada"));
  const ada = desk.book.personByName("ada");
  if (ada === null) throw new Error("ada has set this coordinator up");
  const roles = [{ role: "auditor" as const, projectId }];
  done(await desk.changeRoles(ada.personId, { roles, makeAdmin: false }, "ada"));
  const ben = await newPerson(desk, "ben", { role: "admin" });
  const own = {
    researcher: await newPerson(desk, "ria", { role: "researcher", projectId }),
    auditor: await newPerson(desk, "udo", { role: "auditor", projectId }),
  };
  const other = {
    researcher: await newPerson(desk, "oda", { role: "researcher", projectId: OTHER_PROJECT }),
    auditor: await newPerson(desk, "pia", { role: "auditor", projectId: OTHER_PROJECT }),
  };
  const stale = (await parts.signIns.openSession(ben.personId)).token;
  of.clock.advance(STEP_UP_MS + 1);
  const account = (name: string, letter: string, headers: Headers | (() => Promise<Headers>)): Account => ({
    name,
    letter,
    headers: typeof headers === "function" ? headers : async () => headers,
  });
  return [
    account("anyone", "n", NOTHING),
    // Not among the oracle's, since no cell refuses her.
    account(GOOD_ACCOUNT, "", sessionOf(of, ada.personId)),
    account("an admin", "a", sessionOf(of, ben.personId)),
    {
      ...account("an admin without a fresh proof", "s", cookie(stale)),
      keep: () => parts.signIns.findSession(stale),
    },
    account("a researcher", "r", sessionOf(of, own.researcher.personId)),
    account("an auditor", "u", sessionOf(of, own.auditor.personId)),
    account("another project's researcher", "o", sessionOf(of, other.researcher.personId)),
    account("another project's auditor", "p", sessionOf(of, other.auditor.personId)),
    account("the holder of the auditor's key", "k", passOf(of)),
    ...(await scripts(desk, ada, other.researcher)).map(([name, letter, token]) =>
      account(name, letter, bearer(token)),
    ),
    ...(await joinTokens(desk, of)).map(([name, letter, token]) => account(name, letter, bearer(token))),
    ...(await endedSessions(of)).map(([name, headers]) => account(name, "n", headers)),
    ...(await endedTokens(of, ada)).map(([name, token]) => account(name, "!", bearer(token))),
  ];
}

interface Named {
  readonly personId: string;
  readonly name: string;
}

async function newPerson(desk: AccessDesk, name: string, role: Role): Promise<Named> {
  const { token } = done(await desk.invite(role, "", "ada"));
  const newcomer = { personId: bytesToHex(randomBytes(16)), name, signsInWith: "password" } as const;
  return done(await desk.useInvitation(token, newcomer));
}

/** A session with a fresh proof, opened again once it has ended or its proof ages. */
function sessionOf({ parts, clock }: AccountsOf, personId: string): () => Promise<Headers> {
  let kept = { token: "", sinceMs: 0 };
  return async () => {
    const isFresh = clock.nowMs() - kept.sinceMs < STEP_UP_MS / 2;
    if (!isFresh || (await parts.signIns.findSession(kept.token)) === null)
      kept = { token: (await parts.signIns.openSession(personId)).token, sinceMs: clock.nowMs() };
    return cookie(kept.token);
  };
}

async function newPass({ parts, auditorSecret }: AccountsOf): Promise<string> {
  const { sealed } = done(await parts.auditorPasses.seal());
  const opened = await openSealed(primitives, auditorSecret, "auditor-pass", sealed);
  if (!opened.ok) throw new Error("a pass is sealed to the auditor's key");
  return new TextDecoder().decode(opened.value);
}

function passOf(of: AccountsOf): () => Promise<Headers> {
  let pass = "";
  return async () => {
    if (!(await of.parts.auditorPasses.isInForce(pass))) pass = await newPass(of);
    return bearer(pass);
  };
}

type Lettered = readonly [name: string, letter: string, token: string];

async function scripts(desk: AccessDesk, ada: Named, stranger: Named): Promise<readonly Lettered[]> {
  const made: Lettered[] = [];
  for (const [letter, scope] of [
    ["1", "read"],
    ["2", "runs"],
    ["3", "tasks"],
    ["4", "audit"],
    ["5", "metrics"],
  ] as const)
    made.push([`a token for ${scope}`, letter, await apiToken(desk, ada, [scope])]);
  made.push(["another project's token", "6", await apiToken(desk, stranger, ["runs"])]);
  return made;
}

async function apiToken(
  desk: AccessDesk,
  person: Named,
  scopes: readonly TokenScope[],
  days = 1,
): Promise<string> {
  return done(await desk.makeApiToken(person, { label: "a test", scopes, days })).token;
}

async function joinTokens(desk: AccessDesk, { projectId, task }: AccountsOf): Promise<readonly Lettered[]> {
  const made = async (of: string, slug: string | null) => (await joinToken(desk, of, slug)).token;
  return [
    ["a join token of the task", "i", await made(projectId, task)],
    ["a join token of its project", "j", await made(projectId, null)],
    ["a join token of another task", "w", await made(projectId, "another-task")],
    ["a join token of another project", "x", await made(OTHER_PROJECT, null)],
  ];
}

async function joinToken(desk: AccessDesk, projectId: string, task: string | null, lifeMs = HOUR_MS) {
  const terms = { projectId, task, siteId: null, uses: 1, lifeMs, actor: "ada" };
  return done(await desk.makeJoinToken(terms));
}

async function endedSessions({ parts, projectId }: AccountsOf) {
  const { accessDesk: desk, signIns } = parts;
  const tess = await newPerson(desk, "tess", { role: "researcher", projectId });
  const ended = await signIns.openSession(tess.personId);
  await signIns.endSession(ended.session.sessionId);
  const taken = await signIns.openSession(tess.personId);
  done(await desk.changeRoles(tess.personId, { roles: [], makeAdmin: false }, "ada"));
  return [
    ["a session that has ended", cookie(ended.token)],
    ["a session whose person has lost their role", cookie(taken.token)],
  ] as const;
}

async function endedTokens(of: AccountsOf, ada: Named) {
  const { parts, projectId, task } = of;
  const { accessDesk: desk } = parts;
  const revoked = done(await desk.makeApiToken(ada, { label: "", scopes: ["read"], days: 1 }));
  done(await desk.revokeApiToken(revoked.row.tokenId, null, "ada"));
  const tom = await newPerson(desk, "tom", { role: "researcher", projectId });
  const rightless = await apiToken(desk, tom, ["read", "runs", "tasks"]);
  done(await desk.changeRoles(tom.personId, { roles: [], makeAdmin: false }, "ada"));
  const withdrawn = await joinToken(desk, projectId, task);
  done(await desk.revokeJoinToken(withdrawn.row.tokenId, "ada"));
  const ranOut = await newPass(of);
  of.clock.advance(HOUR_MS);
  return [
    ["a token that has run out", await apiToken(desk, ada, ["read", "runs", "tasks"], 0)],
    ["a revoked token", revoked.token],
    ["a token whose maker has lost their role", rightless],
    ["a revoked join token", withdrawn.token],
    ["a join token that has run out", (await joinToken(desk, projectId, task, 0)).token],
    ["a pass that has run out", ranOut],
    ["a made-up token", newToken("api", randomBytes)],
    [
      "an invitation in place of a token",
      done(await desk.invite({ role: "researcher", projectId }, "", "ada")).token,
    ],
  ] as const;
}

/** One of each thing that paths name by an id. */
export async function openThings({ parts, projectId, task }: AccountsOf): Promise<ThingIds> {
  const { accessDesk: desk } = parts;
  const { tokenId } = (await joinToken(desk, projectId, task)).row;
  const { siteId } = done(await desk.nameSite("ward 3", projectId, "ada"));
  const role = { role: "auditor", projectId } as const;
  const { invitationId } = done(await desk.invite(role, "", "ada"));
  const eve = await newPerson(desk, "eve", role);
  const ada = desk.book.personByName("ada");
  if (ada === null) throw new Error("ada has set this coordinator up");
  const apiTokenIds: string[] = [];
  for (const label of ["one", "two"])
    apiTokenIds.push(done(await desk.makeApiToken(ada, { label, scopes: ["read"], days: 1 })).row.tokenId);
  return {
    "/api/v1/join-tokens/{id}/": tokenId,
    "/api/v1/sites/{id}/": siteId,
    "/api/v1/invitations/{id}/": invitationId,
    "/api/v1/api-tokens/{id}/": apiTokenIds[0] ?? "",
    "/api/v1/people/tokens/{id}/": apiTokenIds[1] ?? "",
    "/api/v1/people/{personId}/": eve.personId,
  };
}

function done<Value>(result: Result<Value, { readonly message: string }>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
