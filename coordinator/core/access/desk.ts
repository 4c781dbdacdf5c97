import type { ProposedAct } from "#shared/access/log.ts";
import type { Role, TokenScope } from "#shared/access/roles.ts";
import { newToken, shownPart, type TokenKind } from "#shared/access/tokens.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { bytesToHex, utf8 } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { type AccessNews, ActWriter } from "./act-writer.ts";
import type { Decided, Sight } from "./acts/change.ts";
import { deleteEnded, ENDED_ROWS_DAYS } from "./acts/outdated.ts";
import * as people from "./acts/people.ts";
import * as proposals from "./acts/proposals.ts";
import * as sites from "./acts/sites.ts";
import * as tokens from "./acts/tokens.ts";
import type { AccessBook } from "./book.ts";
import type { NewCredential } from "./credentials.ts";
import { marksOfNames } from "./leaf.ts";
import type { Person, Rights } from "./principal.ts";
import { type DeleteProjectData, ProjectDeletions } from "./project-deletions.ts";
import { projectsWithTasks } from "./projects-with-tasks.ts";
import { NO_OVERRIDES, type Overrides } from "./promotions.ts";
import type { ApiTokenRow, JoinTokenRow, PersonRow, ProposalRow, SiteRow } from "./rows.ts";

export type AccessDeskPorts = Pick<CoordinatorPorts, "primitives" | "random" | "wall" | "after" | "log"> & {
  readonly store: Pick<CoordinatorPorts["store"], "appendNext" | "listAccessRows" | "listTasks" | "noteSite">;
  /** Days for which ended invitations, API tokens and proposals are listed; 90 if absent. */
  readonly endedRowsDays?: number;
};

/** How often proposals whose time is over are looked for. */
const SWEEP_MS = 60_000;

/**
 * People, roles, tokens, sites and proposals. Acts come one at a time: each is decided on the rows in memory, written with
 * its event and its leaf, and only then counts (X80). Reading costs no database.
 */
export class AccessDesk {
  readonly #ports: AccessDeskPorts;
  readonly #writer: ActWriter;
  readonly #deletions: ProjectDeletions;
  #overrides: Overrides = NO_OVERRIDES;
  readonly #lastUsedByTokenId = new Map<string, number>();
  #isStopped = false;
  #stopSweeping: () => void = () => {};

  constructor(ports: AccessDeskPorts) {
    this.#ports = ports;
    this.#writer = new ActWriter(ports);
    this.#deletions = new ProjectDeletions(this.#writer, ports.log);
  }

  /** Reads all rows. @throws Error that says what to do if a row is of a newer version. */
  async start(deleteProjectData: DeleteProjectData, overrides: Overrides = NO_OVERRIDES): Promise<void> {
    this.#deletions.use(deleteProjectData);
    this.#overrides = overrides;
    await this.#writer.read();
    this.#sweepLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopSweeping();
  }

  /** Reads all rows again, after another process may have written them. */
  reload(): Promise<void> {
    return this.#writer.reload();
  }

  /** What is decided with. Do not keep it: `reload` replaces it. */
  get book(): AccessBook {
    return this.#writer.book;
  }

  /** @returns Stops listening. */
  onNews(listener: (news: AccessNews) => void): () => void {
    return this.#writer.onNews(listener);
  }

  async hashOf(token: string): Promise<string> {
    // Tokens are 256 random bits, so storing a plain digest is safe.
    return bytesToHex(await this.#ports.primitives.sha256(utf8(token)));
  }

  /** True once there is an admin. */
  get isClaimed(): boolean {
    return this.book.admins().length > 0;
  }

  rightsOf(personId: string): Rights | null {
    return this.book.rightsOf(personId);
  }

  /** The person for whom this API token acts; null if it is unknown, has run out, was revoked or its maker has no role. */
  async personOfApiToken(token: string): Promise<Person | null> {
    const row = this.book.apiTokenByHash(await this.hashOf(token));
    const now = this.#now();
    if (row === null || !tokens.isInForce(row, now)) return null;
    const person = this.book.get("person", row.personId);
    const rights = this.book.rightsOf(row.personId);
    if (person === null || rights === null || !hasRole(rights)) return null;
    this.#lastUsedByTokenId.set(row.tokenId, now);
    const { tokenId, scopes } = row;
    return {
      kind: "person",
      personId: person.personId,
      name: person.name,
      rights,
      by: { type: "token", tokenId, scopes: new Set(scopes) },
    };
  }

  /** The join token; null if it is unknown, has run out or was revoked. Its uses are counted when a device enrols. */
  async joinTokenOf(token: string): Promise<JoinTokenRow | null> {
    const row = this.book.joinTokenByHash(await this.hashOf(token));
    return row !== null && tokens.isInForce(row, this.#now()) ? row : null;
  }

  /** Unix milliseconds since this start; null if it was not used since. */
  lastUsedAt(tokenId: string): number | null {
    return this.#lastUsedByTokenId.get(tokenId) ?? null;
  }

  // People.

  setUp(newcomer: people.Newcomer, projectId: string): Promise<Result<PersonRow, WireError>> {
    return this.#personAfter(newcomer.personId, async (sight) =>
      people.setUp(sight, newcomer, projectId, await projectsWithTasks(this.#ports.store)),
    );
  }

  useInvitation(token: string, newcomer: people.Newcomer): Promise<Result<PersonRow, WireError>> {
    return this.#personAfter(newcomer.personId, async (sight) =>
      people.useInvitation(sight, await this.hashOf(token), newcomer),
    );
  }

  makeProject(projectId: string, actor: string): Promise<Result<void, WireError>> {
    return this.act((sight) => people.makeProject(sight, projectId, actor));
  }

  /** Makes the project unless there is one. Errors: CONFLICT if there are too many. */
  ensureProject(projectId: string, actor: string): Promise<Result<void, WireError>> {
    return this.#writer.inTurn(async () => {
      const sight = this.#writer.sight();
      if (sight.book.get("project", projectId) !== null) return ok(undefined);
      return this.#writer.write(people.makeProject(sight, projectId, actor));
    });
  }

  async invite(
    role: Role,
    note: string,
    actor: string,
  ): Promise<Result<{ readonly token: string; readonly invitationId: string }, WireError>> {
    const { token, tokenHash } = await this.#newSecret("invitation");
    const done = await this.act((sight) => people.invite(sight, { role, note, tokenHash, actor }));
    if (!done.ok) return done;
    const row = present(this.book.invitationByHash(tokenHash), "the invitation");
    return ok({ token, invitationId: row.invitationId });
  }

  withdrawInvitation(invitationId: string, actor: string): Promise<Result<void, WireError>> {
    return this.act((sight) => people.withdrawInvitation(sight, invitationId, actor));
  }

  /** Gives and takes roles, each with an event of its own. The first refusal ends it; nothing before it is undone. */
  async changeRoles(
    personId: string,
    wanted: { readonly roles: PersonRow["roles"]; readonly makeAdmin: boolean },
    actor: string,
  ): Promise<Result<PersonRow, WireError>> {
    const done = await this.#writer.inTurn(async () => {
      for (const decided of people.changeRoles(this.#writer.sight(), personId, wanted, actor)) {
        const written = await this.#writer.write(decided);
        if (!written.ok) return written;
      }
      return ok(undefined);
    });
    if (!done.ok) return done;
    return ok(present(this.book.get("person", personId), "a person whose roles were changed"));
  }

  /** @returns True if this person had not signed in from this browser before. */
  async noteSignIn(personId: string, place: string): Promise<boolean> {
    const placeHash = await this.hashOf(place);
    return this.#writer.inTurn(async () => {
      const decided = people.signInFromNewPlace(this.#writer.sight(), personId, placeHash);
      if (decided !== null) await this.#writer.write(decided);
      return decided !== null;
    });
  }

  noteSignInChange(personId: string, what: NewCredential["type"]): Promise<Result<void, WireError>> {
    return this.act((sight) => people.changeSignIn(sight, personId, what));
  }

  noteSignInRemoval(
    personId: string,
    what: NewCredential["type"],
    left: PersonRow["signsInWith"],
  ): Promise<Result<void, WireError>> {
    return this.act((sight) => people.removeSignIn(sight, personId, what, left));
  }

  // Tokens.

  async makeApiToken(
    person: { readonly personId: string; readonly name: string },
    terms: { readonly label: string; readonly scopes: readonly TokenScope[]; readonly days: number },
  ): Promise<Result<{ readonly token: string; readonly row: ApiTokenRow }, WireError>> {
    const { token, tokenHash, shown } = await this.#newSecret("api");
    const { personId, name: actor } = person;
    const done = await this.act((sight) =>
      tokens.makeApiToken(sight, { ...terms, tokenHash, shown, personId, actor }),
    );
    if (!done.ok) return done;
    return ok({ token, row: present(this.book.apiTokenByHash(tokenHash), "the token") });
  }

  revokeApiToken(tokenId: string, owner: string | null, actor: string): Promise<Result<void, WireError>> {
    return this.act((sight) => tokens.revokeApiToken(sight, tokenId, owner, actor));
  }

  async makeJoinToken(terms: {
    readonly projectId: string;
    readonly task: string | null;
    readonly siteId: string | null;
    readonly uses: number;
    readonly lifeMs: number;
    readonly actor: string;
  }): Promise<Result<{ readonly token: string; readonly row: JoinTokenRow }, WireError>> {
    const { token, tokenHash, shown } = await this.#newSecret("join");
    const done = await this.act((sight) => tokens.makeJoinToken(sight, { ...terms, tokenHash, shown }));
    if (!done.ok) return done;
    return ok({ token, row: present(this.book.joinTokenByHash(tokenHash), "the token") });
  }

  revokeJoinToken(tokenId: string, actor: string): Promise<Result<void, WireError>> {
    return this.act((sight) => tokens.revokeJoinToken(sight, tokenId, actor));
  }

  removeJoinedDevices(tokenId: string, actor: string): Promise<Result<void, WireError>> {
    return this.act((sight) => tokens.removeJoinedDevices(sight, tokenId, actor));
  }

  // Sites.

  async nameSite(name: string, projectId: string, actor: string): Promise<Result<SiteRow, WireError>> {
    const done = await this.act((sight) => sites.nameSite(sight, name, projectId, actor));
    if (!done.ok) return done;
    const row = this.book
      .list("site")
      .find((site) => site.name === name && site.projectId === projectId && site.revokedAt === null);
    return ok(present(row, "the site"));
  }

  /** Nothing happens if the device is this site already. */
  async enrolSite(siteId: string, identity: string): Promise<Result<void, WireError>> {
    const key = await this.hashOf(identity);
    return this.#writer.inTurn(async () => {
      const decided = sites.enrolSite(this.#writer.sight(), siteId, identity, key);
      return decided === null ? ok(undefined) : this.#writer.write(decided);
    });
  }

  /**
   * Keeps when a site was last seen. It is no act, so it has no event.
   *
   * @param version  Null to keep the one that is known.
   */
  noteSite(siteId: string, lastSeenAt: number, version: string | null): Promise<void> {
    return this.#writer.inTurn(async () => {
      const site = this.book.get("site", siteId);
      if (site === null) return;
      const row = { ...site, lastSeenAt, version: version ?? site.version };
      await this.#ports.store.noteSite(siteId, row);
      this.book.apply([{ kind: "site", id: siteId, row }]);
    });
  }

  revokeSite(siteId: string, actor: string): Promise<Result<void, WireError>> {
    return this.act((sight) => sites.revokeSite(sight, siteId, actor));
  }

  // What takes two people.

  async propose(act: ProposedAct, reason: string, actor: string): Promise<Result<ProposalRow, WireError>> {
    if (act.type === "promote-despite-gates") {
      // What costs nothing is checked first.
      const refusal = proposals.actRefusal(this.book, act) ?? (await this.#overrides.overrideRefusal(act));
      if (refusal !== null) return err(refusal);
    }
    let proposalId = "";
    const done = await this.act((sight) => {
      const decided = proposals.propose(sight, act, reason, actor);
      if (decided.ok && decided.value.event.type === "proposed") ({ proposalId } = decided.value.event);
      return decided;
    });
    if (!done.ok) return done;
    return ok(present(this.book.get("proposal", proposalId), "the proposal"));
  }

  /**
   * Agrees, and does what was proposed. A deletion that fails after it was agreed to is tried again until it is done
   * (X89). Errors: also those of `DeleteProjectData`; nothing is agreed to then.
   */
  agree(proposalId: string, actor: string): Promise<Result<ProposalRow, WireError>> {
    return this.#writer.inTurn(async () => {
      const decided = proposals.agree(this.#writer.sight(), proposalId, actor);
      if (!decided.ok) return decided;
      const { event } = decided.value;
      assert(event.type === "proposal-agreed", "agreeing is that event");
      const { act } = event;
      if (act.type === "promote-despite-gates") {
        const { reason, madeBy } = present(this.book.get("proposal", proposalId), "an open proposal");
        // First, so that nothing is agreed to that was not done. If the next write fails, agreeing again promotes once.
        const marks = marksOfNames(this.#ports.primitives, this.book, [madeBy, actor]);
        const override = { act, proposalId, reason, proposedBy: madeBy, actor, marks };
        const promoted = await this.#overrides.promoteDespiteGates(override);
        if (!promoted.ok) return promoted;
      }
      const done =
        act.type === "delete-project-data"
          ? await this.#deletions.agree(proposalId, act.projectId, actor)
          : await this.#writer.write(decided);
      if (!done.ok) return done;
      if (act.type === "take-admin-role")
        await this.#endLeftovers().catch((error: unknown) => this.#sweepFailed(error));
      return ok(present(this.book.get("proposal", proposalId), "a proposal that was agreed to"));
    });
  }

  async decline(
    proposalId: string,
    verb: "refuse" | "withdraw",
    actor: string,
  ): Promise<Result<ProposalRow, WireError>> {
    const done = await this.act((sight) => proposals.decline(sight, proposalId, verb, actor));
    if (!done.ok) return done;
    return ok(present(this.book.get("proposal", proposalId), "a proposal that was declined"));
  }

  /** Does the deletions that were agreed to before this process started, or that failed. */
  finishDeletions(): Promise<void> {
    return this.#writer.inTurn(() => this.#deletions.finish());
  }

  /** Does one act, in turn. */
  act(decide: (sight: Sight) => Decided | Promise<Decided>): Promise<Result<void, WireError>> {
    return this.#writer.inTurn(async () => this.#writer.write(await decide(this.#writer.sight())));
  }

  async #personAfter(
    personId: string,
    decide: (sight: Sight) => Decided | Promise<Decided>,
  ): Promise<Result<PersonRow, WireError>> {
    const done = await this.act(decide);
    return done.ok ? ok(present(this.book.get("person", personId), "the person")) : done;
  }

  /** Ends proposals whose time is over, and what former admins left open, so that the log says so (X40). */
  async #endLeftovers(): Promise<void> {
    for (;;) {
      const sight = this.#writer.sight();
      const decided =
        proposals.runOut(sight) ??
        proposals.withdrawOfFormerAdmin(sight) ??
        deleteEnded(sight, this.#ports.endedRowsDays ?? ENDED_ROWS_DAYS);
      if (decided === null) return;
      await this.#writer.write(decided);
    }
  }

  #sweepFailed(error: unknown): void {
    this.#ports.log.warn({ error: String(error) }, "a sweep of access failed");
  }

  #sweepLater(): void {
    this.#stopSweeping = this.#ports.after(SWEEP_MS, () => {
      this.#writer
        .inTurn(async () => {
          await this.#deletions.finish();
          await this.#endLeftovers();
        })
        .catch((error: unknown) => this.#sweepFailed(error))
        .finally(() => {
          if (!this.#isStopped) this.#sweepLater();
        });
    });
  }

  async #newSecret(
    kind: TokenKind,
  ): Promise<{ readonly token: string; readonly tokenHash: string; readonly shown: string }> {
    const token = newToken(kind, this.#ports.random);
    return { token, tokenHash: await this.hashOf(token), shown: shownPart(token) };
  }

  #now(): number {
    return this.#ports.wall.nowUnixMs();
  }
}

/** False for a person whose last role was taken. Such a person signs in to nothing. */
export function hasRole({ isAdmin, rolesByProject }: Rights): boolean {
  return isAdmin || rolesByProject.size > 0;
}
