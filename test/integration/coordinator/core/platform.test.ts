import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import type { Store } from "#coordinator/core/ports/ports.ts";
import { present } from "#shared/kernel/assert.ts";
import { primitives } from "#shared/node/system.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/** The core over the product's own database, disk and workers; the devices and the clock are the kit's. */

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-driver-"));
  store = await openStore({ dataDir: join(folder, "database") });
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

test("[R14] [R19] a run over the embedded database, the spool and the fold workers, killed once per round", async () => {
  const workers = openFolder();
  const blobs = await openBlobs(join(folder, "blobs"));
  const spool = await openSpool(join(folder, "spool"), primitives, openIntake());
  const federation = await Federation.create({ devices: 4, ports: { store, blobs, spool, folder: workers } });
  present(federation.devices[0], "a device").goneBefore = "input";
  federation.connectAll();
  const runId = await federation.launch(3);
  let writes = 0;
  federation.hook = () => (++writes % 30 === 0 ? "die-after" : "go");
  await federation.until(async () => {
    if (!federation.running) await federation.restart();
    return federation.running && (await federation.run(runId)).state === "completed";
  }, "the run's end");
  federation.hook = () => "go";
  if (!federation.running) await federation.restart();
  expect(writes).toBeGreaterThan(90);
  await federation.inFlight.settle();
  const rounds = await federation.rounds(runId);
  expect(rounds.map((round) => [round.phase, round.attempt, round.survivors])).toEqual(
    Array(3).fill(["committed", 1, 3]),
  );
  for (const round of rounds) {
    await federation.fetchModels([round.parentModelHash, present(round.modelHash, "a model")]);
    expect(federation.distanceFromOracle(round, federation.devices.slice(1))).toBeLessThanOrEqual(1);
    expect((await store.loadMaterial(present(round.sid, "a session"), "unmask")).size).toBe(0);
  }
  expect(await readdir(join(folder, "spool"))).toEqual([]);
  await workers.close();
});
