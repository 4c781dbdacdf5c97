/** On whose behalf something is asked. */
export type Principal =
  /** Nobody has shown who they are. */
  | { readonly kind: "anyone" }
  /** Holds the key of this identity (64 hex digits), and logged in for this task. */
  | { readonly kind: "device"; readonly identity: string; readonly task: string };

export const ANYONE: Principal = { kind: "anyone" };

/**
 * The name that an act is recorded under.
 *
 * @param localName  What the sender calls itself. It counts only as long as nobody has shown who they are.
 */
export function actorOf(principal: Principal, localName = "unverified"): string {
  return principal.kind === "device" ? principal.identity : localName;
}
