import { openLog } from "#coordinator/adapters/log.ts";
import { endOnFault, startCoordinator } from "#coordinator/main.ts";

/*
 * A coordinator without pages on a free port, which says where it is and hands out a join token: many devices on one
 * address would else wait for their turn to join. Argument: the state folder. SIGTERM drains and ends it.
 */

export interface CoordinatorReady {
  readonly url: string;
  readonly joinToken: string;
}

const TOKEN_USES = 1_000;
const TOKEN_LIFE_MS = 24 * 3_600_000;

const [dataDir = ""] = process.argv.slice(2);
const log = openLog();
endOnFault(log);
const running = await startCoordinator({ port: 0, host: "127.0.0.1", dataDir, web: false, log });
const joinToken = await running.access.mintJoinToken(TOKEN_USES, TOKEN_LIFE_MS);
process.once("SIGTERM", () => void running.stop().then(() => process.exit(0)));
// Whoever asked for it is gone, or wants no more of it.
process.once("disconnect", () => process.exit(0));
process.send?.({ url: running.url, joinToken } satisfies CoordinatorReady);
