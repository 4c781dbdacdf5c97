import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the issuer does otherwise than it should with the next sign-in. */
export interface IssuerFaults {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signs the ID token with a key that is not published. */
  readonly foreignKey?: boolean;
  /** Answers the token request with no ID token. */
  readonly noIdToken?: boolean;
  /** Claims to be this issuer in its answer to the browser (RFC 9207). */
  readonly iss?: string;
}

export type OpenIdIssuer = Awaited<ReturnType<typeof openIssuer>>;

/**
 * A small OpenID provider on this machine: discovery, keys, and the code flow with PKCE (S256) and a client's secret. It
 * signs in whomever the test names, and refuses what a good provider refuses.
 */
export async function openIssuer(client: { readonly id: string; readonly secret: string }) {
  const key = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const foreign = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const codes = new Map<string, URLSearchParams>();
  const state = { subject: "42", faults: {} as IssuerFaults, refuses: false, tokenRequests: 0 };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.writeHead(500).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", url);
    const json = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (pathname === "/.well-known/openid-configuration") return void json(200, metadata(url));
    if (pathname === "/keys")
      return void json(200, {
        keys: [{ ...key.publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256" }],
      });
    if (pathname === "/authorize")
      return void response.writeHead(303, { location: authorize(searchParams) }).end();
    if (pathname !== "/token") return void response.writeHead(404).end();
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const form = new URLSearchParams(Buffer.concat(parts).toString());
    state.tokenRequests++;
    const asked = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isRight =
      asked !== undefined &&
      asked.get("code_challenge") === challenge &&
      asked.get("redirect_uri") === form.get("redirect_uri") &&
      isClient(request, form, client);
    if (!isRight) return void json(400, { error: "invalid_grant" });
    const { foreignKey, noIdToken } = state.faults;
    const idToken = jwt((foreignKey === true ? foreign : key).privateKey, claimsFor(asked));
    json(200, {
      access_token: "unused",
      token_type: "Bearer",
      expires_in: 60,
      ...(noIdToken === true ? {} : { id_token: idToken }),
    });
  }

  /** Where the browser goes after the person has signed in, or has refused to. */
  function authorize(asked: URLSearchParams): string {
    const back = new URL(asked.get("redirect_uri") ?? "");
    back.searchParams.set("state", asked.get("state") ?? "");
    back.searchParams.set("iss", state.faults.iss ?? url);
    if (state.refuses) {
      back.searchParams.set("error", "access_denied");
      return back.href;
    }
    const code = randomBytes(16).toString("hex");
    codes.set(code, asked);
    back.searchParams.set("code", code);
    return back.href;
  }

  function claimsFor(asked: URLSearchParams): object {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: url,
      sub: state.subject,
      aud: client.id,
      iat: now,
      exp: now + 60,
      auth_time: now,
      nonce: asked.get("nonce"),
      ...state.faults.claims,
    };
  }

  return {
    url,
    state,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function metadata(url: string): object {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/keys`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  };
}

/** By the form or by Basic authorization, whichever the client uses. */
function isClient(
  { headers }: IncomingMessage,
  form: URLSearchParams,
  { id, secret }: { readonly id: string; readonly secret: string },
): boolean {
  if (form.get("client_id") === id && form.get("client_secret") === secret) return true;
  return headers.authorization === `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
}

function jwt(key: KeyObject, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "RS256", kid: "1", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}
