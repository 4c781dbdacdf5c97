import type { Result } from "#shared/kernel/result.ts";
import type { OpenIdAccount } from "./sign-ins.ts";

/** What one sign-in at the provider keeps until the browser comes back. */
export interface OpenIdTurn {
  /** Address that the provider sends the browser back to. It is registered there. */
  readonly redirectUrl: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE's secret (RFC 7636). */
  readonly verifier: string;
  /** Asks the provider to have the person prove again who they are. */
  readonly isProof: boolean;
}

/** Sign-in with an account at one OpenID provider: the code flow with PKCE, state and nonce. */
export interface OpenId {
  /** Where the browser signs in. Errors: `unreachable` if the provider does not answer. */
  addressOf(turn: OpenIdTurn): Promise<Result<string, "unreachable">>;
  /**
   * The account that the browser came back with.
   *
   * @param query  The query of the address that the provider sent it to.
   * Errors: `refused` if the provider or the person said no; `wrong` if the answer does not belong to this turn, its
   *   ID token is not signed by the provider, or is for someone else; `unreachable`.
   */
  accountOf(
    turn: OpenIdTurn,
    query: URLSearchParams,
  ): Promise<Result<OpenIdAccount, "refused" | "wrong" | "unreachable">>;
}
