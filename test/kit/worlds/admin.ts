import type { AccessDesk } from "#coordinator/core/access/desk.ts";
import { type RunningCoordinator, type Settings, startCoordinator } from "#coordinator/main.ts";
import { TOKEN_SCOPES, type TokenScope } from "#shared/access/roles.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { randomBytes } from "#shared/node/system.ts";
import { useToken } from "./as-admin.ts";

/** The project that tests claim. Tasks that name none belong to it. */
const PROJECT = "default";

/**
 * Claims a coordinator that has no admin.
 *
 * @returns An API token of its first admin, with every scope unless `scopes` names some.
 */
export async function adminToken(
  desk: AccessDesk,
  scopes: readonly TokenScope[] = TOKEN_SCOPES,
): Promise<string> {
  if (!desk.isClaimed) {
    const ada = { personId: bytesToHex(randomBytes(16)), name: "ada", signsInWith: "password" } as const;
    const claimed = await desk.setUp(ada, PROJECT);
    if (!claimed.ok) throw new Error(claimed.error.message);
  }
  const admin = present(desk.book.admins()[0], "the first admin");
  const made = await desk.makeApiToken(admin, { label: "a test", scopes, days: 1 });
  if (!made.ok) throw new Error(made.error.message);
  return made.value.token;
}

/** Starts a coordinator and claims it. `openApi` and `asAdmin` ask as its first admin. */
export async function startClaimed(settings: Settings): Promise<RunningCoordinator> {
  const running = await startCoordinator(settings);
  useToken(running.url, await adminToken(running.accessDesk));
  return running;
}

/**
 * Claims a coordinator by its set-up link, as a person in a browser on this machine does.
 *
 * @returns The browser's cookie: name and value.
 */
export async function adminCookie({
  doors,
  url,
}: Pick<RunningCoordinator, "doors" | "url">): Promise<{ name: string; value: string }> {
  const token = present(doors.openSetUp(), "a coordinator without an admin");
  const credential = { type: "password", password: bytesToHex(randomBytes(16)) } as const;
  const entered = await doors.claim(
    token,
    { name: "ada", credential, projectId: PROJECT },
    { address: "test", site: null, place: null },
  );
  if (!entered.ok) throw new Error(entered.error.wire.message);
  return { name: url.startsWith("https:") ? "__Host-chorus" : "chorus-local", value: entered.value.token };
}
