import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterAll, expect, test } from "vitest";
import { openLogCheck } from "#coordinator/adapters/log-check.ts";
import { LOG_FOLDER } from "#coordinator/adapters/log-files.ts";
import { fillLog, openFolderLog } from "#test/kit/worlds/long-log.ts";

const dataDir = mkdtempSync(join(tmpdir(), "chorus-log-check-"));
const folder = join(dataDir, LOG_FOLDER);
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test("[O50] a long log is checked in a thread of its own, which names what is damaged and ends when it is closed", async () => {
  const head = await fillLog(dataDir, 20_000);
  const threads: Worker[] = [];
  const note = (thread: Worker) => void threads.push(thread);
  process.on("worker", note);
  const check = openLogCheck(folder);
  expect(await check.run(head)).toBeNull();
  expect(threads).toHaveLength(1);
  await check.close();
  process.off("worker", note);
  expect(threads[0]?.threadId).toBe(-1);

  const stopped = openLogCheck(folder);
  const asked = expect(stopped.run(head)).rejects.toThrow("closed");
  await stopped.close();
  await asked;

  // In its middle, which nothing else reads.
  const again = openLogCheck(folder);
  for (const path of ["tile/0/040", "tile/entries/040"]) {
    const whole = readFileSync(join(folder, path));
    rmSync(join(folder, path));
    expect(await again.run(head)).toEqual({ type: "no-tile", path });
    writeFileSync(join(folder, path), whole.subarray(0, 700));
    expect(await again.run(head)).toEqual({ type: "wrong-tile", path });
    writeFileSync(join(folder, path), whole.with(1_000, (whole[1_000] ?? 0) ^ 1));
    expect(await again.run(head)).toEqual({ type: "wrong-tile", path });
    if (path !== "tile/entries/040") writeFileSync(join(folder, path), whole);
  }
  await again.close();

  // The sequencer that finds it signs nothing.
  const { store, log } = await openFolderLog(dataDir);
  await log.open();
  log.start();
  await expect.poll(() => log.state().type, { timeout: 20_000 }).toBe("halted");
  expect(log.state()).toMatchObject({ sentence: expect.stringContaining("tile/entries/040 is damaged") });
  await log.stop();
  await store.close();
});
