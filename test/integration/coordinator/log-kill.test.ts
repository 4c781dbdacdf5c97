import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { copyDatabase, LogLives } from "#test/kit/worlds/log-lives.ts";

/*
 * A process that writes the public log over real files and SQLite is killed at each boundary of its effects: before and
 * after each write, sync, rename and removal of a file, and before and after each write of the database. What it left must be
 * whole, also as a power cut would have left it, and a restart must go on from it.
 */

const scratch = mkdtempSync(join(tmpdir(), "chorus-log-kill-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Fills a tile of 256 whatever the size before, so that every kind of file is written in each life. */
const BATCHES = [200, 100];

/** Kills one life at a point of it and restarts, both as the kill left it and as a power cut would have. */
async function killAndRestart(log: LogLives, killAt: string): Promise<void> {
  const { points, isKilled } = await log.live({ batches: BATCHES, killAt });
  expect([isKilled, points.at(-1)]).toEqual([true, killAt]);
  for (const [how, left] of [
    ["power cut", log.cutPower()],
    ["kill", log],
  ] as const) {
    if (left === null) continue;
    expect([how, await left.faults()]).toEqual([how, []]);
    expect([how, await left.restart()]).toEqual([how, []]);
  }
}

const torn = (points: readonly string[]) => [
  ...new Set(
    points
      .filter((point) => point !== "end")
      .flatMap((point) => (point.startsWith("write ") ? [point, point.replace("write", "torn")] : [point])),
  ),
];
const nameOf = (point: string) => point.replace(/\W+/g, "-");

/** One that has begun, of which each test takes a copy. */
const begun = new LogLives(join(scratch, "begun"));
const first = torn((await begun.live({ batches: BATCHES })).points);
const whole = begun.copy(join(scratch, "whole"));
const later = torn((await whole.live({ batches: BATCHES })).points);
/** What is new in a first life, and what it does in the middle of nothing. */
const beginnings = [
  ...first.filter((point) => !later.includes(point)),
  ...[
    "put log-first-key",
    "kept log-first-key",
    "move head",
    "moved head",
    "synced log/checkpoint.partial",
    "renamed log/checkpoint",
  ],
];

describe("[A100] a log whose process is killed", () => {
  test("has these boundaries", async () => {
    expect(await whole.faults()).toEqual([]);
    const steps = ["write F.partial", "torn F.partial", "written F.partial", "synced F.partial"];
    const growing = [...steps, "renamed F"];
    const files = ["entries/N.p/W", "entries/N", "0/N.p/W", "0/N", "1/N.p/W"].map(
      (name) => `log/tile/${name}`,
    );
    for (const file of [...files, "log/checkpoint"])
      for (const step of growing) expect(later).toContain(step.replace("F", file));
    for (const step of [
      "synced log/tile/0",
      "removed log/tile/0/N.p",
      "move head",
      "moved head",
      "synced log",
    ])
      expect(later).toContain(step);
    for (const step of [...steps, "linked F"]) expect(beginnings).toContain(step.replace("F", "log.key"));
    for (const step of ["put log-first-key", "kept log-first-key", "put log-origin"])
      expect(first).toContain(step);
  });

  test.concurrent.each(later)("at '%s' goes on from what it published", async (point) => {
    await killAndRestart(begun.copy(join(scratch, nameOf(point))), point);
  });

  test.concurrent.each(beginnings)("at '%s' of its first life begins, once", async (point) => {
    await killAndRestart(new LogLives(join(scratch, `first-${nameOf(point)}`)), point);
  });

  test.concurrent.each(["import", "imported", "move head", "moved head"])(
    "at '%s' while it takes back what an earlier database has lost",
    async (point) => {
      const log = begun.copy(join(scratch, `behind-${nameOf(point)}`));
      await log.live({ batches: BATCHES });
      copyDatabase(begun.dataDir, log.dataDir);
      expect(await log.live({ killAt: point })).toMatchObject({ isKilled: true });
      expect(await log.restart()).toEqual([]);
    },
  );

  test.concurrent.each(["import", "imported", "move head"])(
    "[A107] at '%s' while own entries of an earlier database move behind the log's",
    async (point) => {
      const log = begun.copy(join(scratch, `own-${nameOf(point)}`));
      await log.live({ batches: BATCHES });
      const published = log.published.at(-1)?.size ?? 0;
      copyDatabase(begun.dataDir, log.dataDir);
      // By something that does not open the log.
      const store = await openStore({ dataDir: log.dataDir });
      const body = (index: number) => ({
        version: 1,
        roundId: `${index}`.padStart(32, "f"),
        code: "OWN",
        opened: false,
      });
      await store.stageLeaves(
        [1, 2, 3].map((index) => ({ kind: "round.aborted", body: body(index) })),
        1_700_000_000_001,
      );
      await store.close();
      expect(await log.live({ killAt: point })).toMatchObject({ isKilled: true });
      expect(await log.restart()).toEqual([]);
      const after = await openStore({ dataDir: log.dataDir });
      const own = await after.leavesAfter(published, 3);
      await after.close();
      expect(own.map((leaf) => leaf.body)).toEqual([1, 2, 3].map(body));
    },
  );

  test("a checkpoint that is published before the head has it is seen (positive control)", async () => {
    const log = new LogLives(join(scratch, "publishes-first"), "publishes-first");
    await log.live({ batches: BATCHES });
    await log.live({ batches: BATCHES, killAt: "move head" });
    expect(await log.faults()).toEqual([expect.stringMatching(/published \d+ above the head \d+/)]);
  });

  test("files that are published before they are durable are seen (positive control)", async () => {
    const log = new LogLives(join(scratch, "never-syncs"), "never-syncs");
    await log.live({ batches: BATCHES });
    await log.live({ batches: BATCHES, killAt: "renamed log/checkpoint" });
    expect(await log.faults()).toEqual([]);
    expect(await log.cutPower()?.faults()).not.toEqual([]);
  });
});
