import { apiErrorSchema } from "#shared/protocol/api.ts";
import type { LinkError } from "../core/ports.ts";

/** Reads the error from an answer that is not a success; an error page from a proxy counts as offline. */
export function readRefusal(text: string): LinkError {
  try {
    const parsed = apiErrorSchema.safeParse(JSON.parse(text));
    return parsed.success ? { type: "refused", error: parsed.data.error } : { type: "offline" };
  } catch {
    return { type: "offline" };
  }
}
