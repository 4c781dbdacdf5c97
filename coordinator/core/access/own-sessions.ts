import { err, ok, type Result } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type {
  OpenIdAccount,
  OwnWay,
  PasskeyAnswer,
  PasskeyOptions,
  PasskeySite,
  Session,
  SignIns,
} from "../ports/sign-ins.ts";
import { DAY_MS } from "./acts/change.ts";
import { type Credentials, type NewCredential, type Shut, shut, WRONG_PASSKEY } from "./credentials.ts";
import { type AccessDesk, hasRole } from "./desk.ts";
import type { BySession, Person } from "./principal.ts";
import { Tickets } from "./tickets.ts";

export type Proof =
  | { readonly type: "password"; readonly password: string }
  | { readonly type: "passkey"; readonly answer: PasskeyAnswer };

export type PersonBySession = Person & { readonly by: BySession };

/** One's session with the token that its cookie now has. */
export interface Renewed {
  readonly token: string;
  readonly person: PersonBySession;
}

export type OwnSessionsPorts = Pick<CoordinatorPorts, "random" | "clock" | "wall" | "log"> & {
  readonly desk: AccessDesk;
  readonly signIns: SignIns;
  readonly credentials: Credentials;
};

/** For how long one's other sessions are told of a sign-in from a new place. */
const TOLD_MS = 7 * DAY_MS;

/** What those who have signed in do with their own session and credentials. */
export class OwnSessions {
  readonly #ports: OwnSessionsPorts;
  readonly tickets: Tickets;
  /** Sessions that were opened in a browser where the person had not signed in before. */
  readonly #inNewPlaces = new Set<string>();
  /** The latest sign-in of each person from a new place since the start: which session, and when in Unix milliseconds. */
  readonly #newPlaces = new Map<string, { readonly sessionId: string; readonly at: number }>();

  constructor(ports: OwnSessionsPorts) {
    this.#ports = ports;
    this.tickets = new Tickets(ports);
    const { desk, signIns, log } = ports;
    signIns.onSessionEnd((sessionId) => {
      this.tickets.sessionEnded(sessionId);
      this.#inNewPlaces.delete(sessionId);
    });
    desk.onNews((news) => {
      if (news.type !== "rights-lost") return;
      const { personId } = news;
      const rights = personId === null ? null : desk.rightsOf(personId);
      if (rights !== null && hasRole(rights)) return;
      // Until it is done they are nobody all the same: rights are looked up with every request.
      (personId === null ? signIns.reload() : signIns.endSessions(personId)).catch((error: unknown) =>
        log.error({ error: String(error) }, "sessions that rest on no role were not deleted"),
      );
    });
  }

  /** Opens a session for someone who has proved who they are. Null if their last role was taken meanwhile. */
  async open(personId: string, place: string): Promise<Renewed | null> {
    const { desk, signIns } = this.#ports;
    const isNewPlace = await desk.noteSignIn(personId, place);
    const { token, session } = await signIns.openSession(personId);
    const person = this.#personOf(session);
    if (person === null) {
      await signIns.endSession(session.sessionId);
      return null;
    }
    if (isNewPlace) {
      const { sessionId } = session;
      this.#inNewPlaces.add(sessionId);
      this.#newPlaces.set(personId, { sessionId, at: this.#ports.wall.nowUnixMs() });
    }
    return { token, person };
  }

  /** The person of a browser's session; null if it has ended or they have no role left. */
  async personOf(token: string): Promise<PersonBySession | null> {
    const session = await this.#ports.signIns.findSession(token);
    return session === null ? null : this.#personOf(session);
  }

  isInNewPlace({ by }: Person): boolean {
    return by.type === "session" && this.#inNewPlaces.has(by.sessionId);
  }

  /**
   * When this person last signed in from a new place in another session, in Unix milliseconds; null if they did not within a
   * week. Rule X18.
   */
  newPlaceElsewhere({ personId, by }: Person): number | null {
    const latest = this.#newPlaces.get(personId);
    if (latest === undefined || by.type !== "session" || latest.sessionId === by.sessionId) return null;
    return this.#ports.wall.nowUnixMs() - latest.at < TOLD_MS ? latest.at : null;
  }

  /** A fresh proof of who one is. Errors: WRONG_CREDENTIALS, RATE_LIMITED, NOT_AUTHENTICATED. */
  async prove(person: PersonBySession, proof: Proof): Promise<Result<Renewed, Shut>> {
    const { personId, name } = person;
    if (proof.type === "password") {
      const checked = await this.#ports.credentials.check(name, personId, proof.password);
      if (!checked.ok) return checked;
    } else {
      const owner = await this.#ports.signIns.personOfPasskey(proof.answer);
      if (!owner.ok || owner.value !== personId) return shut("WRONG_CREDENTIALS", WRONG_PASSKEY);
    }
    return this.renew(person);
  }

  /** Gives the session a new token, as proved now. Errors: NOT_AUTHENTICATED if it has ended. */
  async renew({ by }: PersonBySession): Promise<Result<Renewed, Shut>> {
    const renewed = await this.#ports.signIns.renewSession(by.sessionId);
    const person = renewed === null ? null : this.#personOf(renewed.session);
    return renewed === null || person === null
      ? err({ wire: wireError("NOT_AUTHENTICATED") })
      : ok({ token: renewed.token, person });
  }

  end({ by }: PersonBySession): Promise<void> {
    return this.#ports.signIns.endSession(by.sessionId);
  }

  endOthers({ personId, by }: PersonBySession): Promise<void> {
    return this.#ports.signIns.endSessions(personId, by.sessionId);
  }

  /** Sets a password, and ends this person's other sessions. Errors: NOT_AUTHENTICATED if this one has ended. */
  async setPassword(person: PersonBySession, password: string): Promise<Result<Renewed, Shut>> {
    const added = await this.#add(person, { type: "password", password });
    if (!added.ok) return added;
    await this.endOthers(person);
    return this.renew(person);
  }

  /** Options for one more passkey. Errors: BAD_REQUEST if no page asks. */
  async passkeyOptions(
    { personId, name }: Person,
    site: PasskeySite | null,
  ): Promise<Result<PasskeyOptions, Shut>> {
    if (site === null) return shut("BAD_REQUEST", NO_PAGE);
    return ok(await this.#ports.signIns.newPasskeyOptions(site, name, personId));
  }

  /** Errors: WRONG_CREDENTIALS. */
  addPasskey(person: Person, answer: PasskeyAnswer): Promise<Result<void, Shut>> {
    return this.#add(person, { type: "passkey", answer });
  }

  waysOf({ personId }: Person): Promise<readonly OwnWay[]> {
    return this.#ports.signIns.waysOf(personId);
  }

  /**
   * Removes a credential, and ends this person's other sessions, which may have been opened by it. Errors: NOT_FOUND,
   * CONFLICT for the only one.
   */
  async removeWay(person: PersonBySession, wayId: string): Promise<Result<readonly OwnWay[], Shut>> {
    const { personId } = person;
    const { signIns, desk } = this.#ports;
    const removed = await signIns.removeWay(personId, wayId);
    if (!removed.ok)
      return removed.error === "last"
        ? shut("CONFLICT", "This is your only way to sign in. Add another one first.")
        : shut("NOT_FOUND");
    await this.endOthers(person);
    const left = await signIns.waysOf(personId);
    const noted = await desk.noteSignInRemoval(
      personId,
      removed.value.way,
      left.map(({ way }) => way),
    );
    return noted.ok ? ok(left) : err({ wire: noted.error });
  }

  /** Errors: CONFLICT if the account is someone's already. */
  addOpenId(person: Person, account: OpenIdAccount): Promise<Result<void, Shut>> {
    return this.#add(person, { type: "openid", account });
  }

  /** Whose OpenID account this is; null if nobody's. */
  ownerOf(account: OpenIdAccount): Promise<string | null> {
    return this.#ports.signIns.personOfOpenId(account);
  }

  async #add({ personId }: Person, credential: NewCredential): Promise<Result<void, Shut>> {
    const { credentials, desk } = this.#ports;
    const added = await credentials.add(personId, credential);
    if (!added.ok) return added;
    const noted = await desk.noteSignInChange(personId, credential.type);
    return noted.ok ? noted : err({ wire: noted.error });
  }

  #personOf({ sessionId, personId, provedAt }: Session): PersonBySession | null {
    const { book } = this.#ports.desk;
    const row = book.get("person", personId);
    const rights = book.rightsOf(personId);
    if (row === null || rights === null || !hasRole(rights)) return null;
    return {
      kind: "person",
      personId,
      name: row.name,
      rights,
      by: { type: "session", sessionId, provedAt },
    };
  }
}

export const NO_PAGE = "Passkeys work on the coordinator's pages, at a name and not at an address.";
