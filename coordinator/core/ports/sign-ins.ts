import type { Result } from "#shared/kernel/result.ts";

/*
 * How people prove who they are, and the sessions of their browsers. The adapter uses Better Auth for accounts, passwords
 * and sessions, and SimpleWebAuthn for passkeys. Roles and everything else about people is access's own.
 *
 * Times are Unix milliseconds.
 */

export interface Session {
  readonly sessionId: string;
  readonly personId: string;
  readonly openedAt: number;
  /** When the person last proved who they are. */
  readonly provedAt: number;
  /** Moves on while the session is used. */
  readonly endsAt: number;
}

export interface OpenedSession {
  /** Goes into the cookie and nowhere else. The store has its SHA-256. */
  readonly token: string;
  readonly session: Session;
}

/** JSON as WebAuthn defines it. */
export type WebAuthnJson = Readonly<Record<string, unknown>>;

/** The page that a passkey is made for or used on. */
export interface PasskeySite {
  /** Such as "https://chorus.example:8443". */
  readonly origin: string;
  /** Its host name. Passkeys of one host work on every port of it. */
  readonly host: string;
}

export interface PasskeyOptions {
  readonly challengeId: string;
  readonly options: WebAuthnJson;
}

export interface PasskeyAnswer {
  readonly challengeId: string;
  readonly response: WebAuthnJson;
}

/** An account at an OpenID provider. */
export interface OpenIdAccount {
  readonly issuer: string;
  readonly subject: string;
}

/** One way in which a person signs in. */
export interface OwnWay {
  /** 32 hex digits: the beginning of a hash, so that it tells nothing about the credential. */
  readonly wayId: string;
  readonly way: "password" | "passkey" | "openid";
  readonly madeAt: number;
}

export interface SignIns {
  /** Makes the account that a person signs in with. It has no credential yet. */
  addPerson(person: { readonly personId: string; readonly name: string }): Promise<void>;
  /** Deletes an account with its credentials and sessions. */
  removePerson(personId: string): Promise<void>;
  setPassword(personId: string, password: string): Promise<void>;
  /**
   * Takes as long for a person without a password, or a null person, as for a wrong one.
   *
   * Errors: `busy` if too many passwords are being checked.
   */
  isPassword(personId: string | null, password: string): Promise<Result<boolean, "busy">>;

  /** Options for a new passkey. `personId` is null before there is an account. */
  newPasskeyOptions(site: PasskeySite, name: string, personId: string | null): Promise<PasskeyOptions>;
  /**
   * Errors: `wrong` if the answer does not fit the challenge, its person, origin or host, or if the passkey is known.
   * Nothing is stored then.
   */
  addPasskey(personId: string, answer: PasskeyAnswer): Promise<Result<void, "wrong">>;
  passkeyOptions(site: PasskeySite): Promise<PasskeyOptions>;
  /** The person whose passkey this is. */
  personOfPasskey(answer: PasskeyAnswer): Promise<Result<string, "wrong">>;

  /** Errors: `taken` if this account is someone's already. */
  addOpenId(personId: string, account: OpenIdAccount): Promise<Result<void, "taken">>;
  personOfOpenId(account: OpenIdAccount): Promise<string | null>;

  /** A person's credentials, oldest first. */
  waysOf(personId: string): Promise<readonly OwnWay[]>;
  /** Deletes a credential. Errors: `unknown`; `last` if it is the only one, also of two removals at once. */
  removeWay(personId: string, wayId: string): Promise<Result<OwnWay, "unknown" | "last">>;

  openSession(personId: string): Promise<OpenedSession>;
  /** The session with this token, which counts as used now. */
  findSession(token: string): Promise<Session | null>;
  /** Records a fresh proof and gives the session a new token; the old one ends. Null if the session has ended. */
  renewSession(sessionId: string): Promise<OpenedSession | null>;
  endSession(sessionId: string): Promise<void>;
  /** Ends all sessions of this person, except `kept`. */
  endSessions(personId: string, kept?: string): Promise<void>;
  /** Reads the sessions again, after another process may have written them. */
  reload(): Promise<void>;
  /** Tells of sessions that have ended, however they ended. @returns Stops listening. */
  onSessionEnd(listener: (sessionId: string) => void): () => void;
  /** When each person was last seen, by personId. */
  lastSeen(): Promise<ReadonlyMap<string, number>>;
}
