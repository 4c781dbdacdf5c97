import { z } from "zod";

/** What a coordinator may do against which a round still holds. */
export const securityModelSchema = z.enum(["active", "honest-but-curious"]);
export type SecurityModel = z.infer<typeof securityModelSchema>;
