import { apiTokenMadeSchema, apiTokenMakeSchema, apiTokenViewSchema } from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import type { AccessDesk } from "../../../core/access/desk.ts";
import type { ApiTokenRow } from "../../../core/access/rows.ts";
import { apiTokenView } from "../../../core/access/views.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { found, unwrapped } from "./answers.ts";
import { emptyBody, idParams, signedIn, whole } from "./people.ts";

export interface TokenPorts {
  readonly accessDesk: AccessDesk;
}

const apiToken = named(apiTokenViewSchema, "ApiToken");

/** API tokens: one's own, and for admins everyone's. */
export function tokenEndpoints({ accessDesk }: TokenPorts): readonly Endpoint[] {
  const shown = (row: ApiTokenRow) => apiTokenView(accessDesk.book, row, accessDesk.lastUsedAt(row.tokenId));
  const rows = () => accessDesk.book.list("api-token").toReversed();
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/api-tokens",
      summary: "One's own API tokens, newest first",
      dialect: API,
      permission: "session.own",
      answer: listSchema(apiToken),
      handle: async ({ principal }) => {
        const { personId } = signedIn(principal);
        return whole(
          rows()
            .filter((row) => row.personId === personId)
            .map(shown),
        );
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/api-tokens",
      summary: "Make an API token. It is shown once, and may never do more than its maker may",
      dialect: API,
      permission: "tokens.own",
      body: apiTokenMakeSchema,
      answer: named(apiTokenMadeSchema, "ApiTokenMade"),
      status: 201,
      handle: async ({ body, principal }) => {
        const { token, row } = unwrapped(await accessDesk.makeApiToken(signedIn(principal), body));
        return { apiToken: shown(row), token };
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/api-tokens/{id}/revoke",
      summary: "Revoke one of one's own API tokens",
      dialect: API,
      permission: "tokens.own",
      params: idParams,
      body: emptyBody,
      answer: apiToken,
      handle: async ({ params: { id }, principal }) => {
        const { personId, name } = signedIn(principal);
        unwrapped(await accessDesk.revokeApiToken(id, personId, name));
        return shown(found(accessDesk.book.get("api-token", id)));
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/people/tokens",
      summary: "Everyone's API tokens, newest first",
      dialect: API,
      permission: "people.read",
      answer: listSchema(apiToken),
      handle: async () => whole(rows().map(shown)),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/people/tokens/{id}/revoke",
      summary: "Revoke anyone's API token",
      dialect: API,
      permission: "people.manage",
      params: idParams,
      body: emptyBody,
      answer: apiToken,
      handle: async ({ params: { id }, principal }) => {
        unwrapped(await accessDesk.revokeApiToken(id, null, signedIn(principal).name));
        return shown(found(accessDesk.book.get("api-token", id)));
      },
    }),
  ];
}
