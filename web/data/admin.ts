import { z } from "zod";
import type { ProposedAct } from "#shared/access/log.ts";
import type { Role, TokenScope } from "#shared/access/roles.ts";
import {
  apiTokenMadeSchema,
  apiTokenViewSchema,
  erasedSchema,
  invitationMadeSchema,
  invitationViewSchema,
  joinTokenMadeSchema,
  type joinTokenMakeSchema,
  joinTokenViewSchema,
  type OwnSession,
  operationsSchema,
  personViewSchema,
  projectViewSchema,
  proposalViewSchema,
  siteMadeSchema,
  type siteMakeSchema,
  siteViewSchema,
} from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { retentionRowSchema } from "#shared/protocol/governance.ts";
import { ApiFailure, post, read } from "./api.ts";

/* People, tokens, sites and proposals: what admins do, and what researchers do about their own. */

const EMPTY = post({});
const all = async <Item extends z.ZodType>(item: Item, path: string): Promise<z.output<Item>[]> => {
  const list: { items: z.output<Item>[] } = await read(listSchema(item), path);
  return list.items;
};

export const getPeople = () => all(personViewSchema, "/people");
export const changeRoles = (
  personId: string,
  change: { readonly roles: OwnSession["roles"]; readonly isAdmin?: true },
) => read(personViewSchema, `/people/${personId}/roles`, post(change));

export const erasePerson = (personId: string) => read(erasedSchema, `/people/${personId}/erase`, EMPTY);

export const getProjects = () => all(projectViewSchema, "/projects");
export const makeProject = (projectId: string) => read(projectViewSchema, "/projects", post({ projectId }));

export const getInvitations = () => all(invitationViewSchema, "/invitations");
export const invite = (invitation: { readonly role: Role; readonly note: string }) =>
  read(invitationMadeSchema, "/invitations", post(invitation));
export const withdrawInvitation = (id: string) =>
  read(invitationViewSchema, `/invitations/${id}/withdraw`, EMPTY);

export const getSites = () => all(siteViewSchema, "/sites");
export const nameSite = (site: z.input<typeof siteMakeSchema>) => read(siteMadeSchema, "/sites", post(site));
/** A new token for a site that has not enrolled. */
export const renewSiteToken = (id: string) => read(siteMadeSchema, `/sites/${id}/token`, EMPTY);
export const revokeSite = (id: string) => read(siteViewSchema, `/sites/${id}/revoke`, EMPTY);
export const eraseSite = (id: string) => read(erasedSchema, `/sites/${id}/erase`, EMPTY);

export const getJoinTokens = () => all(joinTokenViewSchema, "/join-tokens");
export const makeJoinToken = (token: z.input<typeof joinTokenMakeSchema>) =>
  read(joinTokenMadeSchema, "/join-tokens", post(token));
export const removeJoinedDevices = (id: string) =>
  read(joinTokenViewSchema, `/join-tokens/${id}/remove-devices`, EMPTY);
export const revokeJoinToken = (id: string) => read(joinTokenViewSchema, `/join-tokens/${id}/revoke`, EMPTY);

/** One's own. */
export const getOwnTokens = () => all(apiTokenViewSchema, "/api-tokens");
export const getAllTokens = () => all(apiTokenViewSchema, "/people/tokens");
export const makeApiToken = (token: {
  readonly label: string;
  readonly scopes: readonly TokenScope[];
  readonly days: number;
}) => read(apiTokenMadeSchema, "/api-tokens", post(token));
export const revokeOwnToken = (id: string) => read(apiTokenViewSchema, `/api-tokens/${id}/revoke`, EMPTY);
export const revokeAnyToken = (id: string) => read(apiTokenViewSchema, `/people/tokens/${id}/revoke`, EMPTY);

export const getRetention = () => all(retentionRowSchema, "/retention");
/** Where the record of processing is, for a link. */
export const processingRecordUrl = (form: "json" | "markdown") =>
  `/api/v1/processing-record${form === "json" ? "" : "/markdown"}`;

export const getProposals = () => all(proposalViewSchema, "/proposals");
export const propose = (proposal: { readonly act: ProposedAct; readonly reason: string }) =>
  read(proposalViewSchema, "/proposals", post(proposal));
export const decide = (id: string, verb: "agree" | "refuse" | "withdraw") =>
  read(proposalViewSchema, `/proposals/${id}/${verb}`, EMPTY);

export const getOperations = () => read(operationsSchema, "/operations");

const readinessSchema = z.object({ ready: z.boolean(), checks: z.record(z.string(), z.boolean()) });

/** The checks of `/readyz`, which answers 503 while one fails. */
export async function getReadiness(): Promise<z.output<typeof readinessSchema>> {
  const body: unknown = await fetch("/readyz").then(
    (response) => response.json(),
    () => null,
  );
  const parsed = readinessSchema.safeParse(body);
  if (!parsed.success) throw new ApiFailure("NO_ANSWER", "The coordinator does not answer.", "later");
  return parsed.data;
}
