import { base64urlnopad } from "@scure/base";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { OpenId, OpenIdTurn } from "../ports/open-id.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { OpenIdAccount } from "../ports/sign-ins.ts";
import { type Shut, shut } from "./credentials.ts";
import type { Browser, Doors } from "./doors.ts";
import type { PersonBySession, Renewed } from "./own-sessions.ts";
import { SingleUse } from "./single-use.ts";

/** A sign-in at the provider may take this long. */
const TURN_LIFE_MS = 10 * 60_000;
const TURN_COUNT_MAX = 1_000;

/** What someone goes to the provider for. */
export type OpenIdPurpose =
  | { readonly type: "sign-in" }
  /** Uses an invitation. */
  | { readonly type: "join"; readonly token: string; readonly name: string }
  /** Adds the account to those one signs in with. */
  | { readonly type: "link"; readonly personId: string }
  /** Proves again who one is. */
  | { readonly type: "prove"; readonly personId: string };

interface Turn {
  readonly turn: OpenIdTurn;
  readonly purpose: OpenIdPurpose;
  readonly to: string;
  readonly browserSecret: string;
}

/** Where the browser goes next, and its session if that is new. */
export interface Arrived {
  readonly to: string;
  readonly session: (Renewed & { readonly place: string | null }) | null;
}

/**
 * Signing in with an account at an OpenID provider. The account of a stranger opens nothing: it becomes someone's by an
 * invitation or from a session (X21).
 */
export class OpenIdDoors {
  readonly #ports: Pick<CoordinatorPorts, "random"> & { readonly doors: Doors; readonly openId: OpenId };
  readonly #turns: SingleUse<Turn>;

  constructor(
    ports: Pick<CoordinatorPorts, "random" | "clock"> & { readonly doors: Doors; readonly openId: OpenId },
  ) {
    this.#ports = ports;
    this.#turns = new SingleUse(ports.clock, { lifeMs: TURN_LIFE_MS, countMax: TURN_COUNT_MAX });
  }

  /**
   * @param to           Path on this host where the browser goes afterwards.
   * @param redirectUrl  The coordinator's own address that the provider sends the browser back to.
   * @returns Where the browser goes now, and a secret for its cookie: nobody else can finish what it began.
   */
  async begin(
    purpose: OpenIdPurpose,
    { to, redirectUrl }: { readonly to: string; readonly redirectUrl: string },
    browser: Browser,
  ): Promise<Result<{ readonly url: string; readonly browserSecret: string }, Shut>> {
    const { doors, openId, random } = this.#ports;
    const shutFor = doors.openRefusal(browser);
    if (shutFor !== null) return err(shutFor);
    const secret = () => base64urlnopad.encode(random(32));
    const turn: OpenIdTurn = {
      redirectUrl,
      state: secret(),
      nonce: secret(),
      verifier: secret(),
      isProof: purpose.type === "prove" || purpose.type === "link",
    };
    const address = await openId.addressOf(turn);
    if (!address.ok) return shut("UNAVAILABLE", UNREACHABLE);
    const browserSecret = bytesToHex(random(32));
    this.#turns.put(turn.state, { turn, purpose, to, browserSecret });
    return ok({ url: address.value, browserSecret });
  }

  /**
   * @param query          As the provider sent the browser back.
   * @param browserSecret  From its cookie; null if it has none.
   * @param person         Who is signed in in this browser; null if nobody is.
   */
  async finish(
    query: URLSearchParams,
    browserSecret: string | null,
    person: PersonBySession | null,
    browser: Browser,
  ): Promise<Result<Arrived, Shut>> {
    const begun = this.#turns.take(query.get("state") ?? "");
    if (begun === null || begun.browserSecret !== browserSecret)
      return shut("TOKEN_ENDED", "This sign-in has run out or was begun in another browser. Begin again.");
    const account = await this.#ports.openId.accountOf(begun.turn, query);
    if (account.ok) return this.#arrive(begun, account.value, person, browser);
    if (account.error === "unreachable") return shut("UNAVAILABLE", UNREACHABLE);
    return shut(
      "WRONG_CREDENTIALS",
      account.error === "refused"
        ? "The sign-in provider did not confirm who you are. Nothing was changed."
        : "The answer of the sign-in provider does not belong to this sign-in. Begin again.",
    );
  }

  async #arrive(
    { purpose, to }: Turn,
    account: OpenIdAccount,
    person: PersonBySession | null,
    browser: Browser,
  ): Promise<Result<Arrived, Shut>> {
    const { doors } = this.#ports;
    switch (purpose.type) {
      case "sign-in":
      case "join": {
        const entered =
          purpose.type === "sign-in"
            ? await doors.signInByOpenId(account, browser)
            : await doors.useInvitation(
                purpose.token,
                { name: purpose.name, credential: { type: "openid", account } },
                browser,
              );
        return entered.ok ? ok({ to, session: entered.value }) : entered;
      }
      case "link": {
        if (person?.personId !== purpose.personId) return shut("NOT_AUTHENTICATED");
        const added = await doors.own.addOpenId(person, account);
        return added.ok ? ok({ to, session: null }) : added;
      }
      case "prove": {
        const owner = await doors.own.ownerOf(account);
        if (person?.personId !== purpose.personId || owner !== purpose.personId)
          return shut("WRONG_CREDENTIALS", "This is not the account that you sign in with here.");
        const renewed = await doors.own.renew(person);
        return renewed.ok ? ok({ to, session: { ...renewed.value, place: null } }) : renewed;
      }
    }
  }
}

const UNREACHABLE = "The sign-in provider does not answer. Try again in a moment, or sign in another way.";
