import type { LinkError } from "../ports.ts";
import type { OpenError } from "./door.ts";

/** Codes of an answer that is another version's. */
const OTHER_VERSION: ReadonlySet<string> = new Set(["WIRE_VERSION", "BAD_MESSAGE"]);

/**
 * Why a page cannot begin after the coordinator refused its status or its task.
 *
 * @param hasConsent  Someone agreed here before: then the page opens with what was agreed to, unless the refusal is final.
 * @returns Null if the page can open without the coordinator.
 */
export function openRefusal(refusal: LinkError, hasConsent: boolean): OpenError | null {
  if (refusal.type === "offline") {
    const sentence = "The coordinator does not answer. Check the connection and reload.";
    return hasConsent ? null : { type: "offline", sentence };
  }
  const { code, message: sentence } = refusal.error;
  if (OTHER_VERSION.has(code)) return { type: "other-version", sentence };
  if (code === "NOT_FOUND" || code === "UNKNOWN_TASK") return { type: "no-such-task", sentence };
  // Whoever agreed here before may be enrolled: the login says if not.
  if (code === "BY_INVITATION" || code === "TOKEN_ENDED")
    return hasConsent ? null : { type: "by-invitation", sentence };
  return hasConsent ? null : { type: "busy", sentence };
}
