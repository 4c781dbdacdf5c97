import { z } from "zod";
import { wireErrorSchema } from "../errors.ts";
import { bytesSchema } from "../ids.ts";

/*
 * The acknowledgement of a device's frame, itself a frame.
 *
 * | type      | answers                                                    |
 * | --------- | ---------------------------------------------------------- |
 * | challenge | hello                                                      |
 * | welcome   | authenticate                                               |
 * | accepted  | everything else that was taken, or had been taken before   |
 * | refused   | anything; nothing was changed                              |
 */
export const replySchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("challenge"), challenge: bytesSchema(32) }),
  z.strictObject({
    type: z.literal("welcome"),
    projectId: z.string().max(64),
    issuerKey: bytesSchema(32),
    /** Of the issuer over E(certificate, projectId, identity). */
    certificate: bytesSchema(64),
  }),
  z.strictObject({ type: z.literal("accepted") }),
  z.strictObject({ type: z.literal("refused"), error: wireErrorSchema }),
]);
export type Reply = z.infer<typeof replySchema>;
