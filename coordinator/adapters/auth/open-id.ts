import type * as Client from "openid-client";
import { err, ok } from "#shared/kernel/result.ts";
import type { OpenId } from "../../core/ports/open-id.ts";

export interface OpenIdSettings {
  /** Such as "https://login.example.org/realms/ward". */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** How long one request to the provider may take. */
const TIMEOUT_S = 10;
/** A proof counts if the person authenticated at the provider within this time. */
const PROOF_AGE_S = 60;

/** The library and what the provider says about itself. */
interface Provider {
  readonly client: typeof Client;
  readonly configuration: Client.Configuration;
}

/**
 * OpenID Connect with openid-client, which is loaded at the first use. ID tokens are checked against the provider's keys,
 * although they come from the provider itself.
 */
export function openOpenId({ issuer, clientId, clientSecret }: OpenIdSettings): OpenId {
  let asking: Promise<Provider> | null = null;
  const ask = async (): Promise<Provider> => {
    const client = await import("openid-client");
    const url = new URL(issuer);
    const execute = [client.enableNonRepudiationChecks];
    // Plain HTTP never leaves this machine.
    if (url.protocol === "http:") execute.push(client.allowInsecureRequests);
    const configuration = await client.discovery(url, clientId, clientSecret, undefined, {
      execute,
      timeout: TIMEOUT_S,
    });
    return { client, configuration };
  };
  const provider = (): Promise<Provider> => {
    asking ??= ask().catch((error: unknown) => {
      asking = null;
      throw error;
    });
    return asking;
  };
  return {
    addressOf: async ({ redirectUrl, state, nonce, verifier, isProof }) => {
      try {
        const { client, configuration } = await provider();
        const url = client.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUrl,
          // Nothing about the person is asked for, only who they are.
          scope: "openid",
          state,
          nonce,
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
          ...(isProof ? { prompt: "login", max_age: String(PROOF_AGE_S) } : {}),
        });
        return ok(url.href);
      } catch {
        return err("unreachable");
      }
    },
    accountOf: async ({ redirectUrl, state, nonce, verifier, isProof }, query) => {
      const found = await provider().catch(() => null);
      if (found === null) return err("unreachable");
      const { client, configuration } = found;
      const url = new URL(redirectUrl);
      url.search = query.toString();
      try {
        const tokens = await client.authorizationCodeGrant(configuration, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
          ...(isProof ? { maxAge: PROOF_AGE_S } : {}),
        });
        const claims = tokens.claims();
        return claims === undefined ? err("wrong") : ok({ issuer: claims.iss, subject: claims.sub });
      } catch (error) {
        if (error instanceof client.AuthorizationResponseError) return err("refused");
        const isOut = error instanceof TypeError || (error instanceof Error && error.name === "TimeoutError");
        return err(isOut ? "unreachable" : "wrong");
      }
    },
  };
}
