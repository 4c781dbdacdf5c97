import { wireError } from "#shared/protocol/errors.ts";
import { API } from "../dialect.ts";
import { type Endpoint, rawEndpoint } from "../endpoint.ts";
import { Problem } from "../problem.ts";

const NO_AUTHORITY = "This coordinator did not make its own certificate, so there is nothing to trust.";

/** What a device has to trust before it can use a coordinator with a certificate of its own. */
export function authorityEndpoints({
  authority,
}: {
  readonly authority: string | null;
}): readonly Endpoint[] {
  return [
    rawEndpoint({
      method: "get",
      path: "/ca.crt",
      summary: "The certificate of the authority that signed this coordinator's own certificate, as PEM",
      dialect: API,
      permission: "public",
      responses: {
        200: {
          description: "A certificate that a device can install",
          content: { "application/x-x509-ca-cert": { schema: { type: "string" } } },
        },
      },
      handle: async () => {
        if (authority === null) throw new Problem(wireError("NOT_FOUND", NO_AUTHORITY));
        return new Response(authority, { headers: { "content-type": "application/x-x509-ca-cert" } });
      },
    }),
  ];
}
