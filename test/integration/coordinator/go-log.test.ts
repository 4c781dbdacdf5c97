import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openLogFiles } from "#coordinator/adapters/log-files.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToBase64 } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { formatVerifierKey, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryLeaves } from "#test/kit/fakes/memory-leaves.ts";
import { LOG_ORIGIN, logSigner, openTestLog } from "#test/kit/worlds/public-log.ts";

/** Debian's golang-golang-x-mod-dev. */
const GO_PATH = "/usr/share/gocode";
const hasGo =
  spawnSync("go", ["version"]).status === 0 &&
  existsSync(join(GO_PATH, "src/golang.org/x/mod/sumdb/tlog/tlog.go"));
const root = new URL("../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-go-log-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function go(...args: readonly string[]) {
  const env = {
    ...process.env,
    GO111MODULE: "off",
    GOPATH: GO_PATH,
    GOCACHE: join(tmpdir(), "chorus-go-cache"),
  };
  return spawnSync("go", args, { env, encoding: "utf8" });
}

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
    const earlier = present(log.head(), "a tree");
    await store.stageLeaves(
      Array.from({ length: 500 }, (_, index) => leaf(300 + index)),
      2,
    );
    expect(await log.covers(799)).toBe(true);
    await log.stop();

    const key = await verifierKey(primitives, LOG_ORIGIN, SIGNATURE_TYPES.ed25519, logSigner.publicKey);
    const program = join(scratch, "verify-log");
    const built = go("build", "-o", program, join(root, "test/kit/go/verify-log.go"));
    expect([built.status, built.stderr]).toEqual([0, ""]);
    const check = (earlierRoot: string, vkey = formatVerifierKey(key)) =>
      spawnSync(program, [folder, vkey, String(earlier.size), earlierRoot], { encoding: "utf8" });
    const rootText = bytesToBase64(earlier.root);
    const held = check(rootText);
    expect([held.status, held.stderr, held.stdout]).toEqual([0, "", `800 entries of ${LOG_ORIGIN} hold\n`]);

    // It can fail: another past, another key, a changed entry.
    expect(check(bytesToBase64(earlier.root.map((byte) => byte ^ 1))).status).toBe(1);
    const other = await verifierKey(primitives, LOG_ORIGIN, SIGNATURE_TYPES.ed25519, earlier.root);
    expect(check(rootText, formatVerifierKey(other)).status).toBe(1);
    const bundle = join(folder, "tile/entries/001");
    const bytes = readFileSync(bundle);
    writeFileSync(bundle, bytes.with(10, (bytes[10] ?? 0) ^ 1));
    expect(check(rootText).status).toBe(1);
  },
);
