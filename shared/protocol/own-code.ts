import { z } from "zod";
import { hashHexSchema } from "./ids.ts";

/** What a coordinator runs and serves. */
export const ownCodeSchema = z.object({
  /** Covers the version and the fields below, see `ownCode`. */
  hash: hashHexSchema,
  /** Of the participant's page; null if none is served, or one that is built anew from time to time. */
  shellHash: hashHexSchema.nullable(),
  /** Of Git, in hex; null if it is not known. */
  commit: z.string().max(64).nullable(),
});
export type OwnCode = z.infer<typeof ownCodeSchema>;
