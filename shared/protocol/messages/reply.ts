import { z } from "zod";
import { tokenPattern } from "../../access/tokens.ts";
import { type ErrorCode, wireError, wireErrorSchema } from "../errors.ts";
import { bytesSchema } from "../ids.ts";

/*
 * The acknowledgement of a device's frame, itself a frame.
 *
 * | type      | answers                                                    |
 * | --------- | ---------------------------------------------------------- |
 * | challenge | hello                                                      |
 * | welcome   | authenticate                                               |
 * | accepted  | any other message that is accepted, or was accepted before |
 * | refused   | anything; nothing was changed                              |
 */
export const replySchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("challenge"), challenge: bytesSchema(32) }),
  z.strictObject({
    type: z.literal("welcome"),
    projectId: z.string().max(64),
    issuerKey: bytesSchema(32),
    /** The issuer's signature over E(certificate, projectId, identity). */
    certificate: bytesSchema(64),
    /** A bearer token that reads the task over HTTP, for an enrolled device: its join token may end before it does. */
    pass: z.string().regex(tokenPattern("device")).optional(),
  }),
  z.strictObject({ type: z.literal("accepted") }),
  z.strictObject({ type: z.literal("refused"), error: wireErrorSchema }),
]);
export type Reply = z.infer<typeof replySchema>;

/** @param detail  Replaces the code's own sentence. */
export function refusedReply(code: ErrorCode, detail?: string): Reply {
  return { type: "refused", error: wireError(code, detail) };
}
