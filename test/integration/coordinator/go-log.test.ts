import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openLogFiles } from "#coordinator/adapters/log-files.ts";
import { present } from "#shared/kernel/assert.ts";
import { primitives } from "#shared/node/system.ts";
import { formatVerifierKey, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryLeaves } from "#test/kit/fakes/memory-leaves.ts";
import { expectCosignedByGo, expectHeldByGo, hasGo } from "#test/kit/go/go-log.ts";
import { LOG_ORIGIN, logSigner, openTestLog } from "#test/kit/worlds/public-log.ts";
import { TestWitness } from "#test/kit/worlds/witnesses.ts";

/* A log of known length. The one of a demo stands in commands/demo.test.ts. */

const scratch = mkdtempSync(join(tmpdir(), "chorus-go-log-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test.skipIf(!hasGo)(
  "[A32] Go's own libraries verify signature, entries and growth of our log, and refuse a changed one",
  async () => {
    const folder = join(scratch, "log");
    const store = memoryLeaves(memoryDatabase(), async () => {});
    const leaf = (index: number) => ({ kind: "round.opened", body: { version: 1, index } });
    const log = openTestLog(store, { files: openLogFiles(folder) });
    await store.stageLeaves(
      Array.from({ length: 300 }, (_, index) => leaf(index)),
      1,
    );
    expect(await log.covers(299)).toBe(true);
    const earlier = { ...present(log.head(), "a tree"), origin: LOG_ORIGIN };
    await store.stageLeaves(
      Array.from({ length: 500 }, (_, index) => leaf(300 + index)),
      2,
    );
    expect(await log.covers(799)).toBe(true);
    await log.stop();
    const key = await verifierKey(primitives, LOG_ORIGIN, SIGNATURE_TYPES.ed25519, logSigner.publicKey);
    expect(await expectHeldByGo({ folder, key, earlier, scratch })).toBe(800);
  },
);

test.skipIf(!hasGo)(
  "[A90] Go's note package, with a verifier of its own, opens what our witness has signed, and refuses it changed",
  async () => {
    const key = await verifierKey(primitives, LOG_ORIGIN, SIGNATURE_TYPES.ed25519, logSigner.publicKey);
    const witness = await TestWitness.make("witness.example/1", [key]);
    const store = memoryLeaves(memoryDatabase(), async () => {});
    const log = openTestLog(store, { witnesses: [witness] });
    await store.stageLeaves([{ kind: "round.opened", body: { version: 1 } }], 1);
    const demand = { keys: [formatVerifierKey(witness.key)], needed: 1 };
    expect(await log.covers(0, { demand })).toBe(true);
    const note = present(log.checkpoint(), "a checkpoint");
    await log.stop();
    await expectCosignedByGo({ note, log: key, witness: witness.key }, scratch);
  },
);
