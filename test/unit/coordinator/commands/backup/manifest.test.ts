import { describe, expect, test } from "vitest";
import { backupName } from "#coordinator/commands/backup/backup-name.ts";
import { blobHashOf, isPartOfBackup } from "#coordinator/commands/backup/contents.ts";
import { type Manifest, readManifest } from "#coordinator/commands/backup/manifest.ts";

const HASH = "a".repeat(64);
const file = (path: string) => ({ path, byteCount: 1, sha256: HASH });
const manifest: Manifest = {
  product: "chorus",
  format: 1,
  version: "0.1.0",
  madeAt: "2026-01-31T12:00:00.000Z",
  database: "embedded",
  instance: "b".repeat(32),
  schema: "0010-device-measures",
  position: 12,
  newestEventAt: null,
  files: ["data/instance.json", "data/issuer.key", "data/chorus.db"].map(file),
  damaged: [],
};
const read = (changes: object) => readManifest(JSON.stringify({ ...manifest, ...changes }));

describe("a backup's manifest", () => {
  test("reads back what was written", () => {
    expect(read({})).toEqual({ ok: true, value: manifest });
  });

  test.each([
    "../issuer.key",
    "data/../../etc/passwd",
    "/etc/passwd",
    "data//x",
    "data/./x",
    "data/",
    "data",
    "data\\..\\x",
    "data/x\0y",
    "other/x",
    "",
    `data/${"x".repeat(5_000)}`,
  ])("[O2] refuses the path %j", (path) => {
    expect(read({ files: [...manifest.files, file(path)] })).toMatchObject({
      ok: false,
      error: { type: "unreadable" },
    });
  });

  test("[O2] refuses what is no manifest, is cut, lists a file twice or lacks one that is needed", () => {
    for (const text of ["", "null", "[]", "{}", JSON.stringify(manifest).slice(0, -9)])
      expect(readManifest(text)).toMatchObject({ ok: false, error: { type: "unreadable" } });
    const [first] = manifest.files;
    expect(read({ files: [...manifest.files, first] })).toMatchObject({
      ok: false,
      error: { reason: "data/instance.json is listed twice" },
    });
    for (const lacking of manifest.files)
      expect(read({ files: manifest.files.filter((other) => other !== lacking) })).toMatchObject({
        ok: false,
        error: { reason: `it does not list ${lacking.path}` },
      });
    expect(read({ database: "postgresql" })).toMatchObject({ ok: false });
    expect(read({ database: "postgresql", files: [...manifest.files, file("database.dump")] }).ok).toBe(true);
  });

  test("[O2] tells a later format from a damaged one", () => {
    expect(read({ format: 2, somethingNew: true })).toMatchObject({
      ok: false,
      error: { type: "newer-format" },
    });
    expect(read({ format: 0 })).toMatchObject({ ok: false, error: { type: "unreadable" } });
  });
});

describe("what a backup holds", () => {
  test("[O1] keys, instance id, models, held-out rows, and whatever a later version adds", () => {
    for (const path of [
      "issuer.key",
      "auditor.key",
      "instance.json",
      `blobs/aa/${HASH}`,
      "heldout/digits-v1.csv",
      "tls/authority.pem",
      "log/tile/0/000",
      "some-later.key",
    ])
      expect([path, isPartOfBackup(path)]).toEqual([path, true]);
  });

  test("[O1] neither locks, uploads, logs and the demo's devices, nor the live database", () => {
    for (const path of [
      "lock.db",
      "lock.holder",
      "spool/abc/1",
      "chorus.db",
      "chorus.db-wal",
      "chorus.db-shm",
      "chorus.position",
      "coordinator.log",
      "demo/digits/1.csv",
      "issuer.key.12.partial",
      "blobs/aa/x.12-1.partial",
    ])
      expect([path, isPartOfBackup(path)]).toEqual([path, false]);
  });

  test("a model's file is named by its hash", () => {
    expect(blobHashOf(`blobs/aa/${HASH}`)).toBe(HASH);
    expect(blobHashOf(`heldout/aa/${HASH}`)).toBeNull();
  });

  test("its name sorts by time and has no colon", () => {
    expect(backupName(Date.UTC(2026, 0, 31, 12))).toBe("chorus-2026-01-31T12-00-00Z");
  });
});
