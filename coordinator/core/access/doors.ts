import { newToken } from "#shared/access/tokens.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type {
  OpenIdAccount,
  PasskeyAnswer,
  PasskeyOptions,
  PasskeySite,
  SignIns,
} from "../ports/sign-ins.ts";
import { stateOfInvitation } from "./acts/people.ts";
import { Credentials, type NewCredential, type Shut, shut, WRONG_PASSKEY } from "./credentials.ts";
import { type AccessDesk, hasRole } from "./desk.ts";
import { NO_PAGE, OwnSessions, type Renewed } from "./own-sessions.ts";
import { type RateLimit, rateLimit } from "./rate-limit.ts";
import type { InvitationRow, PersonRow } from "./rows.ts";
import { SingleUse } from "./single-use.ts";

/** The set-up link and links that sign a browser in work once, for this long. */
const LINK_LIFE_MS = 30 * 60_000;
/** Tries of an address to open a session, whatever they are for. */
const OPENS_PER_MINUTE_PER_ADDRESS = 20;

export type DoorsPorts = Pick<CoordinatorPorts, "random" | "clock" | "wall" | "log"> & {
  readonly desk: AccessDesk;
  readonly signIns: SignIns;
};

/** The browser or program that a request came from. */
export interface Browser {
  /** As `addressKey` gives it. */
  readonly address: string;
  /** The page that sent the request; null if none did. */
  readonly site: PasskeySite | null;
  /** The secret cookie of a browser that someone has signed in from; null if it has none. */
  readonly place: string | null;
}

/** Someone who is now signed in. */
export interface Entered extends Renewed {
  /** For the other cookie: this browser's secret. */
  readonly place: string;
}

/**
 * Set-up, signing in, invitations and one's own session. The table of permissions says what one may do afterwards.
 */
export class Doors {
  readonly own: OwnSessions;
  readonly #ports: DoorsPorts;
  readonly #credentials: Credentials;
  readonly #opens: RateLimit;
  readonly #setUps: SingleUse<true>;
  readonly #links: SingleUse<string>;
  #setUpEndsAt: number | null = null;

  constructor(ports: DoorsPorts) {
    this.#ports = ports;
    const { clock } = ports;
    this.#credentials = new Credentials(ports);
    this.own = new OwnSessions({ ...ports, credentials: this.#credentials });
    this.#opens = rateLimit(clock, {
      burst: OPENS_PER_MINUTE_PER_ADDRESS,
      perSecond: OPENS_PER_MINUTE_PER_ADDRESS / 60,
    });
    this.#setUps = new SingleUse(clock, { lifeMs: LINK_LIFE_MS, countMax: 1 });
    this.#links = new SingleUse(clock, { lifeMs: LINK_LIFE_MS, countMax: 100 });
  }

  // Set-up.

  /** A fresh set-up token, which replaces an earlier one; null if there is an admin already. */
  openSetUp(): string | null {
    if (this.#ports.desk.isClaimed) return null;
    const token = newToken("setup", this.#ports.random);
    this.#setUps.put(token, true);
    this.#setUpEndsAt = this.#now() + LINK_LIFE_MS;
    return token;
  }

  setUp(): { readonly isClaimed: boolean; readonly endsAt: number | null } {
    const { isClaimed } = this.#ports.desk;
    return { isClaimed, endsAt: isClaimed ? null : this.#setUpEndsAt };
  }

  /** Makes the first admin. Errors: TOKEN_ENDED, WRONG_CREDENTIALS for a passkey, RATE_LIMITED. */
  async claim(
    token: string,
    newcomer: { readonly name: string; readonly credential: NewCredential; readonly projectId: string },
    browser: Browser,
  ): Promise<Result<Entered, Shut>> {
    const tooMany = this.openRefusal(browser);
    if (tooMany !== null) return err(tooMany);
    const { desk } = this.#ports;
    const claimed = desk.book.admins()[0];
    if (claimed !== undefined)
      return shut(
        "TOKEN_ENDED",
        `This link was used ${momentOf(claimed.madeAt)}. If that was not you, stop the coordinator now and look at its log.`,
      );
    if (this.#setUps.peek(token) === null)
      return shut(
        "TOKEN_ENDED",
        "This link has run out or was replaced. Start the coordinator again; it prints a new one.",
      );
    const entered = await this.#welcome(newcomer, browser, (made) => desk.setUp(made, newcomer.projectId));
    if (entered.ok) this.#setUps.take(token);
    return entered;
  }

  /**
   * Makes a first admin for a program in this process, without the set-up link. They sign in by links alone.
   *
   * Errors: TOKEN_ENDED if there is an admin.
   */
  async claimByLinks(name: string, projectId: string): Promise<Result<PersonRow, WireError>> {
    const { desk, signIns, random } = this.#ports;
    const personId = bytesToHex(random(16));
    await signIns.addPerson({ personId, name });
    const joined = await desk.setUp({ personId, name, signsInWith: "link" }, projectId);
    if (!joined.ok) await signIns.removePerson(personId);
    return joined;
  }

  // Invitations.

  async lookAtInvitation(token: string, browser: Browser): Promise<Result<InvitationRow, Shut>> {
    const tooMany = this.openRefusal(browser);
    if (tooMany !== null) return err(tooMany);
    const { desk } = this.#ports;
    const row = desk.book.invitationByHash(await desk.hashOf(token));
    return row === null || stateOfInvitation(row, this.#now()) !== "open" ? shut("TOKEN_ENDED") : ok(row);
  }

  /** Errors: TOKEN_ENDED; CONFLICT if the name is taken, and the invitation stays open then; as `claim`. */
  async useInvitation(
    token: string,
    newcomer: { readonly name: string; readonly credential: NewCredential },
    browser: Browser,
  ): Promise<Result<Entered, Shut>> {
    const looked = await this.lookAtInvitation(token, browser);
    if (!looked.ok) return looked;
    return this.#welcome(newcomer, browser, (made) => this.#ports.desk.useInvitation(token, made));
  }

  /** Credentials come first: a person is in the log only once they can sign in. */
  async #welcome(
    { name, credential }: { readonly name: string; readonly credential: NewCredential },
    browser: Browser,
    join: (made: Parameters<AccessDesk["setUp"]>[0]) => Promise<Result<PersonRow, WireError>>,
  ): Promise<Result<Entered, Shut>> {
    const { desk, signIns, random } = this.#ports;
    const personId = bytesToHex(random(16));
    const place = browser.place ?? this.#newSecret();
    await signIns.addPerson({ personId, name });
    const added = await this.#credentials.add(personId, credential);
    const placeHash = await desk.hashOf(place);
    const joined = added.ok
      ? await join({ personId, name, signsInWith: credential.type, placeHash })
      : err(added.error.wire);
    if (joined.ok) return this.#enterWithRole(personId, { ...browser, place });
    await signIns.removePerson(personId);
    return err({ wire: joined.error });
  }

  // Signing in.

  /** Errors: WRONG_CREDENTIALS, with how many tries are left; RATE_LIMITED; FORBIDDEN for whoever has no role left. */
  async signIn(name: string, password: string, browser: Browser): Promise<Result<Entered, Shut>> {
    const tooMany = this.openRefusal(browser);
    if (tooMany !== null) return err(tooMany);
    const asked = name.trim().toLowerCase();
    const personId = this.#ports.desk.book.personByName(asked)?.personId ?? null;
    const checked = await this.#credentials.check(asked, personId, password);
    return checked.ok ? this.#enterWithRole(checked.value, browser) : checked;
  }

  /** A token that signs one browser in as this person, once. */
  signInLink(personId: string): string {
    const token = newToken("signIn", this.#ports.random);
    this.#links.put(token, personId);
    return token;
  }

  /** Errors: TOKEN_ENDED; as `signIn`. */
  async signInByLink(token: string, browser: Browser): Promise<Result<Entered, Shut>> {
    const tooMany = this.openRefusal(browser);
    if (tooMany !== null) return err(tooMany);
    const personId = this.#links.take(token);
    return personId === null ? shut("TOKEN_ENDED", LINK_ENDED) : this.#enterWithRole(personId, browser);
  }

  /** Options for signing in by a passkey. Errors: BAD_REQUEST if no page asks. */
  async passkeyOptions(browser: Browser): Promise<Result<PasskeyOptions, Shut>> {
    const tooMany = this.openRefusal(browser);
    if (tooMany !== null) return err(tooMany);
    if (browser.site === null) return shut("BAD_REQUEST", NO_PAGE);
    return ok(await this.#ports.signIns.passkeyOptions(browser.site));
  }

  /** Options for a new passkey of someone without an account. Errors: BAD_REQUEST if no page asks. */
  async newcomersPasskeyOptions(name: string, browser: Browser): Promise<Result<PasskeyOptions, Shut>> {
    const tooMany = this.openRefusal(browser);
    if (tooMany !== null) return err(tooMany);
    if (browser.site === null) return shut("BAD_REQUEST", NO_PAGE);
    return ok(await this.#ports.signIns.newPasskeyOptions(browser.site, name, null));
  }

  /** Errors: WRONG_CREDENTIALS; as `signIn`. */
  async signInByPasskey(answer: PasskeyAnswer, browser: Browser): Promise<Result<Entered, Shut>> {
    const tooMany = this.openRefusal(browser);
    if (tooMany !== null) return err(tooMany);
    const personId = await this.#ports.signIns.personOfPasskey(answer);
    return personId.ok
      ? this.#enterWithRole(personId.value, browser)
      : shut("WRONG_CREDENTIALS", WRONG_PASSKEY);
  }

  /** Signs in by an account at the OpenID provider. Errors: FORBIDDEN if it is nobody's here; as `signIn`. */
  async signInByOpenId(account: OpenIdAccount, browser: Browser): Promise<Result<Entered, Shut>> {
    const personId = await this.#ports.signIns.personOfOpenId(account);
    if (personId === null)
      return shut("FORBIDDEN", "Nobody here signs in with this account. Ask an admin for an invitation.");
    return this.#enterWithRole(personId, browser);
  }

  async #enterWithRole(personId: string, browser: Browser): Promise<Result<Entered, Shut>> {
    const { book } = this.#ports.desk;
    const row = book.get("person", personId);
    const rights = book.rightsOf(personId);
    if (row === null || rights === null) return shut("WRONG_CREDENTIALS");
    if (hasRole(rights)) {
      const place = browser.place ?? this.#newSecret();
      const opened = await this.own.open(personId, place);
      if (opened !== null) return ok({ ...opened, place });
    }
    const { rolesTaken } = row;
    const when = rolesTaken === null ? "" : ` ${momentOf(rolesTaken.at)} by ${rolesTaken.by}`;
    return shut(
      "FORBIDDEN",
      `Your roles were taken${when}. What you had open is closed; nothing of yours was lost.`,
    );
  }

  /** Counts one more try of this address to open a session. RATE_LIMITED if it was one too many. */
  openRefusal({ address }: Browser): Shut | null {
    return this.#opens.take(address) ? null : { wire: wireError("RATE_LIMITED") };
  }

  #newSecret(): string {
    return bytesToHex(this.#ports.random(32));
  }

  #now(): number {
    return this.#ports.wall.nowUnixMs();
  }
}

const LINK_ENDED =
  "This link has been used or has run out. Start the demo that printed it again; it prints a new one.";

/** "on 2026-11-29 at 14:28 UTC" */
function momentOf(unixMs: number): string {
  const iso = new Date(unixMs).toISOString();
  return `on ${iso.slice(0, 10)} at ${iso.slice(11, 16)} UTC`;
}
