import { openLog } from "#coordinator/adapters/log.ts";
import { endOnFault, startCoordinator } from "#coordinator/main.ts";
import { adminCookie, adminToken } from "../worlds/admin.ts";
import { addCrowd } from "../worlds/crowd.ts";

/*
 * A coordinator without pages on a free port. It reports its address, an admin's token and session, and a join token,
 * because many devices on one address would otherwise have to wait before they may join. Arguments: the state folder, how
 * many other people it has, and whether its devices demand proofs of the public log. SIGTERM drains and ends it.
 */

export interface CoordinatorReady {
  readonly url: string;
  readonly joinToken: string;
  /** Of an admin. */
  readonly token: string;
  /** Of the admin's browser: name and value, as in a header. */
  readonly cookie: string;
}

const TOKEN_USES = 1_000;
const TOKEN_LIFE_MS = 24 * 3_600_000;

const [dataDir = "", crowdSize = "0", demandsProofs = "true"] = process.argv.slice(2);
const log = openLog();
endOnFault(log);
const running = await startCoordinator({
  port: 0,
  host: "127.0.0.1",
  dataDir,
  web: false,
  log,
  demandsProofs: demandsProofs === "true",
});
const joinToken = await running.access.mintJoinToken(TOKEN_USES, TOKEN_LIFE_MS);
const cookie = await adminCookie(running);
const token = await adminToken(running.accessDesk);
await addCrowd(running.accessDesk, Number(crowdSize));
process.once("SIGTERM", () => void running.stop().then(() => process.exit(0)));
// The parent is gone, or no longer needs it.
process.once("disconnect", () => process.exit(0));
process.send?.({
  url: running.url,
  joinToken,
  token,
  cookie: `${cookie.name}=${cookie.value}`,
} satisfies CoordinatorReady);
