import type { TokenScope } from "#shared/access/roles.ts";
import { wallClock } from "#shared/node/system.ts";
import { isInForce } from "../../core/access/acts/tokens.ts";
import type { PersonRow } from "../../core/access/rows.ts";
import type { RunningCoordinator } from "../../main.ts";
import { granted } from "../command.ts";

const NAME = "demo-admin";
export const DEMO_PROJECT = "default";
/** Everything that scripts do with a demo, and nothing for a monitor that outlives it. */
const SCOPES: readonly TokenScope[] = ["read", "runs", "tasks", "audit"];
const TOKEN_LABEL = "printed by the demo";
export const DEMO_TOKEN_DAYS = 7;

export interface DemoAdmin {
  readonly name: string;
  /** Signs one browser in, once, within 30 minutes. */
  readonly link: string;
  /** For scripts. The next start ends it. */
  readonly token: string;
}

/**
 * Makes the demo the first admin of a state that has none, so that it stays one command.
 *
 * @returns Null if this state is someone else's.
 * @throws Error that says why the desk refused.
 */
export async function openDemoAdmin({
  doors,
  accessDesk,
  url,
}: Pick<RunningCoordinator, "doors" | "accessDesk" | "url">): Promise<DemoAdmin | null> {
  if (!accessDesk.isClaimed) {
    const { personId } = granted(await doors.claimByLinks(NAME, DEMO_PROJECT));
    // So that the token reads kept rounds, too.
    const roles = [{ projectId: DEMO_PROJECT, role: "auditor" as const }];
    granted(await accessDesk.changeRoles(personId, { roles, makeAdmin: false }, NAME));
  }
  const admin = accessDesk.book.personByName(NAME);
  if (admin === null || !isDemos(admin)) return null;
  const { personId } = admin;
  const now = wallClock.nowUnixMs();
  const earlier = accessDesk.book
    .list("api-token")
    .filter((row) => row.personId === personId && row.label === TOKEN_LABEL && isInForce(row, now));
  // A refusal means that it has ended already.
  for (const { tokenId } of earlier) await accessDesk.revokeApiToken(tokenId, personId, NAME);
  const terms = { label: TOKEN_LABEL, scopes: SCOPES, days: DEMO_TOKEN_DAYS };
  const { token } = granted(await accessDesk.makeApiToken(admin, terms));
  return { name: NAME, link: `${url}/sign-in#token=${doors.signInLink(personId)}`, token };
}

/** A person who chose this name has another way to sign in, so no link is ever made for them. */
function isDemos({ isAdmin, signsInWith }: PersonRow): boolean {
  return isAdmin && signsInWith.includes("link");
}
