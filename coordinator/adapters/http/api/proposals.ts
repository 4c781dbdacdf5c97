import { proposalMakeSchema, proposalViewSchema } from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import type { AccessDesk } from "../../../core/access/desk.ts";
import type { ProposalRow } from "../../../core/access/rows.ts";
import { proposalView } from "../../../core/access/views.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { unwrapped } from "./answers.ts";
import { emptyBody, idParams, signedIn, whole } from "./people.ts";

export interface ProposalPorts {
  readonly accessDesk: AccessDesk;
  /** Unix milliseconds. */
  readonly nowUnixMs: () => number;
}

const proposal = named(proposalViewSchema, "Proposal");

/** What takes two people. */
export function proposalEndpoints({ accessDesk, nowUnixMs }: ProposalPorts): readonly Endpoint[] {
  const shown = (row: ProposalRow, reader: string) => proposalView(accessDesk.book, row, reader, nowUnixMs());
  const decline = (verb: "refuse" | "withdraw", summary: string) =>
    jsonEndpoint({
      method: "post",
      path: `/api/v1/proposals/{id}/${verb}`,
      summary,
      dialect: API,
      permission: "proposals.decide",
      params: idParams,
      body: emptyBody,
      answer: proposal,
      handle: async ({ params: { id }, principal }) => {
        const { name } = signedIn(principal);
        return shown(unwrapped(await accessDesk.decline(id, verb, name)), name);
      },
    });
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/proposals",
      summary: "Proposals, newest first",
      dialect: API,
      permission: "people.read",
      answer: listSchema(proposal),
      handle: async ({ principal }) => {
        const { name } = signedIn(principal);
        const rows = accessDesk.book.list("proposal").toReversed();
        return whole(rows.map((row) => shown(row, name)));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/proposals",
      summary: "Propose what takes two people. It waits for another admin for 24 hours",
      dialect: API,
      permission: "proposals.decide",
      body: proposalMakeSchema,
      answer: proposal,
      // The gates are asked first.
      isTrial: ({ act }) => act.type === "promote-despite-gates",
      status: 201,
      handle: async ({ body: { act, reason }, principal }) => {
        const { name } = signedIn(principal);
        return shown(unwrapped(await accessDesk.propose(act, reason, name)), name);
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/proposals/{id}/agree",
      summary: "Agree to another person's proposal, which is then done. The only admin agrees to their own",
      dialect: API,
      permission: "proposals.decide",
      params: idParams,
      body: emptyBody,
      answer: proposal,
      handle: async ({ params: { id }, principal }) => {
        const { name } = signedIn(principal);
        return shown(unwrapped(await accessDesk.agree(id, name)), name);
      },
    }),
    decline("refuse", "Refuse another person's proposal"),
    decline("withdraw", "Withdraw one's own proposal"),
  ];
}
