import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { highestResidentBytes, residentBytes } from "../../kit/resident-bytes.ts";
import { freePort, pause, spawnCoordinator } from "../../kit/worlds/coordinator-process.ts";
import { quantile } from "../line.ts";

/** As in package.json. */
const NODE_FLAGS = ["--max-semi-space-size=8"];
const POLL_MS = 5;
const SETTLE_MS = 2_000;

interface Start {
  /** From the start of the process; it is ready once the log signs. */
  readonly readyS: number;
  readonly highestMB: number;
  readonly residentMB: number;
  /** From the first answer until it is ready, and some time after. */
  readonly livezP99Ms: number;
  readonly livezHighestMs: number;
}

/** In turns, so that a busy machine slows both alike. */
export async function measureStart(
  long: string,
  short: string,
  starts: number,
): Promise<{ readonly full: readonly Start[]; readonly empty: readonly Start[] }> {
  await (await openStore({ dataDir: short })).close();
  const full: Start[] = [];
  const empty: Start[] = [];
  for (let index = 0; index < starts; index++) {
    full.push(await startOnce(long));
    empty.push(await startOnce(short));
  }
  return { full, empty };
}

async function startOnce(dataDir: string): Promise<Start> {
  const port = await freePort();
  let isOver = false;
  const livezMs: number[] = [];
  const polling = (async () => {
    while (!isOver) {
      const beganMs = performance.now();
      const answered = await fetch(`http://localhost:${port}/livez`).then(
        (response) => response.ok,
        () => false,
      );
      if (answered) livezMs.push(performance.now() - beganMs);
      await pause(POLL_MS);
    }
  })();
  const began = performance.now();
  const coordinator = await spawnCoordinator({ port, dataDir, nodeFlags: NODE_FLAGS, claimed: false });
  const readyS = (performance.now() - began) / 1e3;
  await pause(SETTLE_MS);
  isOver = true;
  await polling;
  const highestMB = highestResidentBytes(coordinator.pid) / 1e6;
  const residentMB = residentBytes(coordinator.pid) / 1e6;
  await coordinator.stop();
  return {
    readyS,
    highestMB,
    residentMB,
    livezP99Ms: quantile(livezMs, 0.99),
    livezHighestMs: Math.max(...livezMs),
  };
}
