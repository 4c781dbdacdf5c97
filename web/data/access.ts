import { z } from "zod";
import {
  type credentialSchema,
  invitationFaceSchema,
  openIdAddressSchema,
  type openIdStartSchema,
  ownSessionSchema,
  ownWaySchema,
  passkeyOptionsSchema,
  type proofSchema,
  setupViewSchema,
  ticketSchema,
} from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { post, read } from "./api.ts";

/* Signing in, and the session of this browser. The session itself is in a cookie that no page can read. */

export type Credential = z.input<typeof credentialSchema>;
export type Proof = z.input<typeof proofSchema>;
export type PasskeyOptions = z.output<typeof passkeyOptionsSchema>;
export type PasskeyAnswer = Extract<Proof, { readonly type: "passkey" }>["answer"];

const EMPTY = post({});
const emptySchema = z.object({});
const waysSchema = listSchema(ownWaySchema);

export const getSetup = () => read(setupViewSchema, "/setup");
export const claimSetup = (claim: {
  readonly token: string;
  readonly name: string;
  readonly projectId: string;
  readonly credential: Credential;
}) => read(ownSessionSchema, "/setup", post(claim));

export const signIn = (name: string, password: string) =>
  read(ownSessionSchema, "/session", post({ name, password }));
export const signInByLink = (token: string) => read(ownSessionSchema, "/session/link", post({ token }));
export const signInByPasskey = (answer: PasskeyAnswer) =>
  read(ownSessionSchema, "/session/passkey", post(answer));
/** Options of a passkey that is known already. */
export const getPasskeyOptions = () => read(passkeyOptionsSchema, "/session/passkey/options", EMPTY);
/** Options of a new passkey, before there is an account. */
export const getNewPasskeyOptions = (name: string) =>
  read(passkeyOptionsSchema, "/session/passkey/new", post({ name }));

/** Begins a sign-in with an account at the OpenID provider. The browser then goes to `url`. */
export const beginOpenId = (start: z.input<typeof openIdStartSchema>) =>
  read(openIdAddressSchema, "/session/openid", post(start));

export const lookAtInvitation = (token: string) =>
  read(invitationFaceSchema, "/invitations/look", post({ token }));
export const acceptInvitation = (use: {
  readonly token: string;
  readonly name: string;
  readonly credential: Credential;
}) => read(ownSessionSchema, "/invitations/use", post(use));

export const getSession = () => read(ownSessionSchema, "/session");
export const proveSession = (proof: Proof) => read(ownSessionSchema, "/session/prove", post(proof));
export const endSession = () => read(emptySchema, "/session/end", EMPTY);
export const endOtherSessions = () => read(emptySchema, "/session/end-others", EMPTY);
export const getTicket = () => read(ticketSchema, "/session/ticket", EMPTY);
/** Options of another passkey for whoever is signed in. */
export const getAddedPasskeyOptions = () => read(passkeyOptionsSchema, "/session/passkeys/options", EMPTY);
export const addPasskey = (answer: PasskeyAnswer) =>
  read(ownSessionSchema, "/session/passkeys", post(answer));
export const getOwnWays = () => read(waysSchema, "/session/ways");
export const removeWay = (wayId: string) => read(waysSchema, `/session/ways/${wayId}/remove`, EMPTY);
export const changePassword = (password: string) =>
  read(ownSessionSchema, "/session/password", post({ password }));
