import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureWebBuild } from "#coordinator/adapters/web-build.ts";
import { residentBytes } from "../kit/resident-bytes.ts";
import { freePort, pause, spawnCoordinator, until } from "../kit/worlds/coordinator-process.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * A coordinator with pages that nobody uses: the time from the start of its process until it is ready, and its memory
 * once its pages were viewed. The baseline, measured in turn: a process that serves the same pages with Next and does
 * nothing else. The small size has neither pages nor a build.
 */

/** As in package.json. */
const NODE_FLAGS = ["--max-semi-space-size=8"];
const FLOOR = new URL("../kit/children/pages-server.ts", import.meta.url).pathname;
const SMALL = { starts: 1, pages: false, settleMs: 100 };
const FULL = { starts: 5, pages: true, settleMs: 3_000 };

export const bench: Bench = { name: "idle", run };

interface Start {
  readonly readyS: number;
  readonly residentMB: number;
}

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { starts, pages, settleMs } = small ? SMALL : FULL;
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-idle-"));
  try {
    if (pages) {
      await ensureWebBuild(
        () => console.error("Building the pages ..."),
        () => undefined,
      );
      // The first start of an installation fills the caches of both.
      await startCoordinator(join(folder, "warm-up"), pages, 0);
      await startFloor(pages, 0);
    }
    const ours: Start[] = [];
    const floors: Start[] = [];
    for (let index = 0; index < starts; index++) {
      ours.push(await startCoordinator(join(folder, String(index)), pages, settleMs));
      floors.push(await startFloor(pages, settleMs));
    }
    const median = (all: readonly Start[], figure: keyof Start) =>
      quantile(
        all.map((start) => start[figure]),
        0.5,
      );
    const peer = pages ? "Next alone on the same build" : "an empty server";
    for (const [figure, name, unit] of [
      ["readyS", "start to ready", "s"],
      ["residentMB", "resident, idle", "MB"],
    ] as const) {
      const value = median(ours, figure);
      yield { name, value, unit, ...compared(peer, median(floors, figure), value) };
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startCoordinator(dataDir: string, pages: boolean, settleMs: number): Promise<Start> {
  const port = await freePort();
  const began = performance.now();
  const coordinator = await spawnCoordinator({ port, dataDir, pages, nodeFlags: NODE_FLAGS });
  const readyS = (performance.now() - began) / 1_000;
  const residentMB = await residentAfterVisit(coordinator.url, coordinator.pid, pages, settleMs);
  await coordinator.stop();
  return { readyS, residentMB };
}

async function startFloor(pages: boolean, settleMs: number): Promise<Start> {
  const port = await freePort();
  const began = performance.now();
  const child: ChildProcess = spawn(
    process.execPath,
    [...NODE_FLAGS, FLOOR, String(port), pages ? "pages" : "empty"],
    { stdio: "ignore" },
  );
  const url = `http://localhost:${port}`;
  // Polled at the same rate as a coordinator.
  await until("an answer", 120_000, async () => (await fetch(`${url}/icon.svg`)).ok);
  const readyS = (performance.now() - began) / 1_000;
  const residentMB = await residentAfterVisit(url, child.pid as number, pages, settleMs);
  child.kill("SIGKILL");
  await once(child, "exit");
  return { readyS, residentMB };
}

async function residentAfterVisit(
  url: string,
  pid: number,
  pages: boolean,
  settleMs: number,
): Promise<number> {
  for (let visit = 0; pages && visit < 3; visit++) {
    const page = await fetch(`${url}/`);
    await page.text();
  }
  await pause(settleMs);
  return residentBytes(pid) / 1e6;
}
