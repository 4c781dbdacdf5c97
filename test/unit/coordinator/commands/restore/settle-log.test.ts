import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { settleLog } from "#coordinator/commands/restore/settle-log.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { formatCheckpoint } from "#shared/tlog/checkpoint.ts";
import { formatNote, signNote } from "#shared/tlog/note.ts";
import { LOG_ORIGIN, logSigner } from "#test/kit/worlds/public-log.ts";

const scratch = mkdtempSync(join(tmpdir(), "chorus-settle-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const primitives = webCryptoPrimitives(crypto.subtle);

/** A data folder with a log of `size` entries. */
async function folder(name: string, size: number, key: string): Promise<string> {
  const text = formatCheckpoint({ origin: LOG_ORIGIN, size, root: new Uint8Array(32) });
  const note = formatNote({ text, signatures: [await signNote(primitives, logSigner, LOG_ORIGIN, text)] });
  const files = {
    "log/checkpoint": note,
    [`log/tile/0/000.p/${size}`]: name,
    [`log/tile/entries/000.p/${size}`]: name,
    "log.key": key,
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(scratch, name, path)), { recursive: true });
    writeFileSync(join(scratch, name, path), content);
  }
  return join(scratch, name);
}

test("[A39] the newer log at the place is durable in the restored folder before that gets its name", async () => {
  const there = await folder("there", 9, "newer");
  const staging = await folder("staging", 4, "older");
  const handle = await open(there, "r");
  const sync = vi.spyOn(Object.getPrototypeOf(handle), "sync");
  try {
    await settleLog(there, staging, false);
    // log/, tile/, 0/, 000.p/, entries/, 000.p/ and the folder itself; a checkpoint, two tiles and a key.
    expect(sync).toHaveBeenCalledTimes(7 + 4);
  } finally {
    sync.mockRestore();
    await handle.close();
  }
  for (const path of ["log/checkpoint", "log/tile/0/000.p/9", "log/tile/entries/000.p/9", "log.key"])
    expect(readFileSync(join(staging, path), "utf8")).toBe(readFileSync(join(there, path), "utf8"));
  expect(() => readFileSync(join(staging, "log/tile/0/000.p/4"))).toThrow(/ENOENT/);
});
