import { apiErrorSchema } from "#shared/protocol/api.ts";
import type { LinkError } from "../core/ports.ts";

/** What an answer that is no success says; a page of something in between counts as offline. */
export function refusalOf(text: string): LinkError {
  try {
    const parsed = apiErrorSchema.safeParse(JSON.parse(text));
    return parsed.success ? { type: "refused", error: parsed.data.error } : { type: "offline" };
  } catch {
    return { type: "offline" };
  }
}
