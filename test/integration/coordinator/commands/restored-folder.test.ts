import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import type { CellChange } from "#client/core/memory.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { type HeldStep, openTestDevice, type TestDevice } from "../../../kit/devices/device.ts";
import { asAdmin, useToken } from "../../../kit/worlds/as-admin.ts";
import { freePort, openApi, spawnCoordinator, until } from "../../../kit/worlds/coordinator-process.ts";

/*
 * A data folder is copied while its run goes on, and restored later: the coordinator has gone back in time, its devices
 * have not. Everything is real except the training.
 */

const COUNT = 5;
const root = new URL("../../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-restored-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What a device remembers, with everything that it ever wrote. */
class WatchedCells extends MapCells {
  readonly #written: CellChange[] = [];

  override async swap(changes: readonly CellChange[]): Promise<boolean> {
    const swapped = await super.swap(changes);
    if (swapped) this.#written.push(...changes);
    return swapped;
  }

  /** By model: the sessions in which this device gave its shares. */
  openings(): [model: string, sids: string[]][] {
    const sids = new Map<string, string[]>();
    for (const { key, after } of this.#written)
      if (key.startsWith("revealed/")) sids.set(key, [...(sids.get(key) ?? []), after]);
    return [...sids];
  }
}

/** As `npm run restore` does it: of a folder's public log the newer one stays, since devices have seen it (A39). */
function restoreBesideNewerLog(copy: string, dataDir: string): void {
  const newer = `${dataDir}-newer-log`;
  renameSync(join(dataDir, "log"), newer);
  rmSync(dataDir, { recursive: true });
  cpSync(copy, dataDir, { recursive: true });
  rmSync(join(dataDir, "log"), { recursive: true });
  renameSync(newer, join(dataDir, "log"));
}

/** When the copy is made: between two rounds, or in a phase in which this step holds round 3. */
const COPIES = [
  { when: "between rounds", hold: null },
  { when: "unmasking", hold: ["unmask", 2] },
] as const satisfies readonly { when: string; hold: readonly [HeldStep, number] | null }[];

test.concurrent.each(COPIES)(
  "[S10] [R18] a folder that was copied $when and restored: the run says why devices refuse, opens nothing twice and goes on",
  async ({ when, hold }) => {
    const dataDir = join(scratch, when);
    const copy = `${dataDir}-copy`;
    const port = await freePort();
    const task = bundledTask("digits", COUNT, 1);
    const held = heldOutPath(dataDir, task.slug, task.version);
    mkdirSync(join(held, ".."), { recursive: true });
    cpSync(join(root, "coordinator/data/digits.csv"), held);
    let coordinator = await spawnCoordinator({ port, dataDir });
    // Made before the copy, so the restored database has it too.
    const { authorization = "" } = asAdmin(coordinator.url);
    const firstToken = authorization.replace("Bearer ", "");
    const devices: TestDevice[] = [];
    const cells: WatchedCells[] = [];
    try {
      const api = openApi(coordinator.url);
      await api.createTask(task);
      for (let seed = 1; seed <= COUNT; seed++) {
        const own = new WatchedCells();
        cells.push(own);
        devices.push(await openTestDevice(coordinator.url, task, seed, { cells: own }));
      }
      for (const device of devices) device.enrolment.start();
      const { runId } = await api.launch({ task: task.slug, rounds: 6, seed: 7 });
      const committed = (count: number) =>
        until(
          `${count} committed rounds`,
          120_000,
          async () => (await api.run(runId)).roundsCommitted >= count,
        );
      await committed(2);
      if (hold !== null) {
        const [step, count] = hold;
        for (const device of devices.slice(0, count)) device.hold(step);
        await until(when, 60_000, async () => (await api.run(runId)).currentRound?.phase === when);
      }
      expect(await coordinator.stop()).toBe(0);
      cpSync(dataDir, copy, { recursive: true });
      coordinator = await spawnCoordinator({ port, dataDir });
      const atCopy = (await api.run(runId)).roundsCommitted;
      for (const device of devices) device.release();
      await committed(atCopy + 2);
      expect(await coordinator.stop()).toBe(0);

      restoreBesideNewerLog(copy, dataDir);
      useToken(coordinator.url, firstToken);
      coordinator = await spawnCoordinator({ port, dataDir, claimed: false });
      const notice = await until("a notice", 60_000, async () => (await api.run(runId)).notice);
      expect(["REPLAY", "ALREADY_REVEALED"]).toContain(notice.code);
      expect(notice.message).toMatch(/restored from an older copy/);
      // The process that was started then is still the one that answers.
      await until("the end", 240_000, async () => (await api.run(runId)).endedAt !== null);
      expect(await api.run(runId)).toMatchObject({ state: "completed", code: null, roundsCommitted: 6 });
      expect(await coordinator.stop()).toBe(0);

      const openings = cells.flatMap((own) => own.openings());
      expect(openings.length).toBeGreaterThan(4 * COUNT);
      for (const [model, sids] of openings) expect([model, sids]).toEqual([model, sids.slice(0, 1)]);
    } finally {
      await Promise.all(devices.map((device) => device.close()));
      await coordinator.kill();
    }
  },
);
