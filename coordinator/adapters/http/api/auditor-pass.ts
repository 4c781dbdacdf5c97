import { bytesToHex } from "#shared/kernel/bytes.ts";
import { auditorPassSchema } from "#shared/protocol/access-api.ts";
import type { AuditorPasses } from "../../../core/access/auditor-passes.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { unwrapped } from "./answers.ts";
import { emptyBody } from "./people.ts";

export interface AuditorPassPorts {
  readonly auditorPasses: AuditorPasses;
}

export function auditorPassEndpoints({ auditorPasses }: AuditorPassPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "post",
      path: "/api/v1/auditor-pass",
      summary: "A pass to kept rounds for 15 minutes, sealed to the auditor's key",
      dialect: API,
      permission: "auditor-pass",
      body: emptyBody,
      answer: named(auditorPassSchema, "AuditorPass"),
      handle: async () => {
        const { sealed, endsAt } = unwrapped(await auditorPasses.seal());
        return { sealed: bytesToHex(sealed), endsAt: new Date(endsAt).toISOString() };
      },
    }),
  ];
}
