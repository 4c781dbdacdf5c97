import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { appendFile, type FileHandle, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import type { Spool } from "#coordinator/core/ports/ports.ts";
import { merkleLeafHash, verifyInclusion } from "#shared/crypto/merkle.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { positionNo } from "#test/kit/places.ts";

const SID = "5".repeat(64);
const CHUNK = 65_536;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-spool-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let spools = 0;
async function newSpool(at = join(folder, String(++spools))): Promise<Spool> {
  return openSpool(at, primitives, openIntake());
}

/** The oracle: RFC 6962 section 2.1, with the recursion as written there. */
function merkleTreeHash(leaves: readonly Buffer[]): Buffer {
  const sha256 = (...parts: Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0] as Buffer);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return sha256(Buffer.of(1), merkleTreeHash(leaves.slice(0, k)), merkleTreeHash(leaves.slice(k)));
}

function describeUpload(bytes: Buffer, position = 1) {
  const leaves: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; offset += CHUNK)
    leaves.push(bytes.subarray(offset, offset + CHUNK));
  return {
    sid: SID,
    position: positionNo(position),
    byteCount: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    root: merkleTreeHash(leaves).toString("hex"),
  };
}

/** `bytes` in pieces of `size`; after `breakAfter` bytes there is an error, as when a connection is lost. */
async function* pieces(
  bytes: Buffer,
  size = 10_007,
  breakAfter = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < Math.min(bytes.length, breakAfter); offset += size) {
    yield bytes.subarray(offset, Math.min(offset + size, breakAfter));
  }
  if (bytes.length > breakAfter) throw new Error("connection lost");
}

describe("an upload", () => {
  test.each([0, 1, 4, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17, 1_000_003])(
    "of %i bytes is complete when length, digest and chunk root agree",
    async (byteCount) => {
      const spool = await newSpool();
      const bytes = randomBytes(byteCount);
      expect(await spool.receive({ ...describeUpload(bytes), offset: 0 }, pieces(bytes))).toEqual({
        ok: true,
        value: "complete",
      });
      expect(await readFile(spool.path(SID, positionNo(1)))).toEqual(bytes);
      expect(await spool.offset(SID, positionNo(1))).toBe(byteCount);
    },
  );

  test("may come in pieces of any size", async () => {
    const bytes = randomBytes(3 * CHUNK + 5);
    for (const size of [1, 777, CHUNK, CHUNK + 1, 10 * CHUNK]) {
      const spool = await newSpool();
      const upload = { ...describeUpload(bytes), offset: 0 };
      expect((await spool.receive(upload, pieces(bytes, size === 1 ? 4_099 : size))).ok).toBe(true);
    }
  });

  test("continues where a lost connection left it, hashing again what is there", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(5 * CHUNK + 123);
    const upload = describeUpload(bytes);
    let offset = 0;
    for (const upTo of [1, 70_000, 2 * CHUNK, 300_000]) {
      const part = bytes.subarray(offset);
      expect(await spool.receive({ ...upload, offset }, pieces(part, 9_001, upTo - offset))).toEqual({
        ok: true,
        value: "partial",
      });
      offset = await spool.offset(SID, positionNo(1));
      expect(offset).toBe(upTo);
      expect(existsSync(spool.path(SID, positionNo(1)))).toBe(false);
    }
    // The coordinator was restarted in between.
    const reopened = await newSpool(join(folder, String(spools)));
    expect(await reopened.receive({ ...upload, offset }, pieces(bytes.subarray(offset)))).toEqual({
      ok: true,
      value: "complete",
    });
    expect(await readFile(reopened.path(SID, positionNo(1)))).toEqual(bytes);
  });

  test("may restart at or before what is there, but not beyond it", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(200_000);
    const upload = describeUpload(bytes);
    await spool.receive({ ...upload, offset: 0 }, pieces(bytes, 1_000, 100_000));
    const beyond = await spool.receive({ ...upload, offset: 100_001 }, pieces(bytes.subarray(100_001)));
    expect(beyond).toEqual({ ok: false, error: { type: "bad-offset" } });
    expect(await spool.offset(SID, positionNo(1))).toBe(100_000);
    expect(await spool.receive({ ...upload, offset: 50_000 }, pieces(bytes.subarray(50_000)))).toEqual({
      ok: true,
      value: "complete",
    });
    expect(await readFile(spool.path(SID, positionNo(1)))).toEqual(bytes);
  });

  test("with a wrong digest, a wrong root or too many bytes leaves nothing behind", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(100_000);
    const upload = { ...describeUpload(bytes), offset: 0 };
    const flipped = Buffer.from(bytes);
    flipped[99_999] = (flipped[99_999] as number) ^ 1;
    expect(await spool.receive(upload, pieces(flipped))).toEqual({
      ok: false,
      error: { type: "bad-root" },
    });
    expect(await spool.receive({ ...upload, root: "0".repeat(64) }, pieces(bytes))).toEqual({
      ok: false,
      error: { type: "bad-root" },
    });
    const longer = Buffer.concat([bytes, Buffer.of(0)]);
    expect(await spool.receive(upload, pieces(longer))).toEqual({ ok: false, error: { type: "bad-length" } });
    expect(await spool.offset(SID, positionNo(1))).toBe(0);
    expect(readdirSync(join(spool.path(SID, positionNo(1)), ".."))).toEqual([]);
    // The slot is still usable.
    expect((await spool.receive(upload, pieces(bytes))).ok).toBe(true);
  });

  test("is on disk as it came, although each piece's memory is reused as soon as it is returned", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(700_000);
    const upload = { ...describeUpload(bytes), offset: 0 };
    let freed = 0;
    const again = (piece: Uint8Array) => {
      freed += piece.length;
      piece.fill(0xee);
    };
    async function* copies(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(bytes, 65_536)) yield Uint8Array.from(piece);
    }
    expect(await spool.receive(upload, copies(), again)).toEqual({ ok: true, value: "complete" });
    expect(freed).toBe(bytes.length);
    expect((await readFile(spool.path(SID, positionNo(1)))).equals(bytes)).toBe(true);
  });

  test("concurrent with many others of its session is durable with them: each finds its file", async () => {
    const spool = await newSpool();
    const positions = Array.from({ length: 24 }, (_, index) => index + 1);
    const uploads = positions.map((position) => ({ position, bytes: randomBytes(40_000 + position) }));
    const results = await Promise.all(
      uploads.map(({ position, bytes }) =>
        spool.receive({ ...describeUpload(bytes, position), offset: 0 }, pieces(bytes)),
      ),
    );
    expect(results.every((result) => result.ok && result.value === "complete")).toBe(true);
    for (const { position, bytes } of uploads) {
      expect((await readFile(spool.path(SID, positionNo(position)))).equals(bytes)).toBe(true);
    }
  });

  test("that is complete stays, whatever arrives for its slot later", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(70_000);
    const upload = { ...describeUpload(bytes), offset: 0 };
    await spool.receive(upload, pieces(bytes));
    expect(await spool.receive(upload, pieces(bytes))).toEqual({ ok: true, value: "complete" });
    expect(await spool.receive({ ...upload, offset: 70_000 }, pieces(Buffer.alloc(0)))).toEqual({
      ok: true,
      value: "complete",
    });
    const other = randomBytes(70_000);
    const refused = await spool.receive({ ...describeUpload(other), offset: 0 }, pieces(other));
    expect(refused).toEqual({ ok: false, error: { type: "bad-root" } });
    expect(await readFile(spool.path(SID, positionNo(1)))).toEqual(bytes);
  });

  test("replaces an older one to its slot that hangs", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(300_000);
    const upload = { ...describeUpload(bytes), offset: 0 };
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 150_000);
      await new Promise(() => undefined);
    }
    const older = spool.receive(upload, hanging());
    while ((await spool.offset(SID, positionNo(1))) < 150_000)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const newer = spool.receive({ ...upload, offset: 150_000 }, pieces(bytes.subarray(150_000)));
    expect(await older).toEqual({ ok: true, value: "partial" });
    expect(await newer).toEqual({ ok: true, value: "complete" });
    expect(await readFile(spool.path(SID, positionNo(1)))).toEqual(bytes);
  });

  test("sent many times at once to one slot leaves exactly its bytes", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(400_000);
    const upload = { ...describeUpload(bytes), offset: 0 };
    const results = await Promise.all(
      [1_000, 2_003, 50_000, 7].map((size) => spool.receive(upload, pieces(bytes, 100 * size))),
    );
    expect(results.every((result) => result.ok)).toBe(true);
    expect(results.at(-1)).toEqual({ ok: true, value: "complete" });
    expect(await readFile(spool.path(SID, positionNo(1)))).toEqual(bytes);
  });
});

describe("a session", () => {
  test("is discarded as a whole, or except for the inputs to keep", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(1_000);
    for (const position of [1, 2, 3])
      await spool.receive({ ...describeUpload(bytes, position), offset: 0 }, pieces(bytes));
    await spool.receive({ ...describeUpload(bytes, 4), offset: 0 }, pieces(bytes, 100, 500));
    expect(await spool.sessions()).toEqual([SID]);
    await spool.discard(SID, [positionNo(1), positionNo(3)]);
    expect(readdirSync(join(spool.path(SID, positionNo(1)), "..")).sort()).toEqual(["1", "3"]);
    await spool.discard(SID);
    expect(existsSync(join(spool.path(SID, positionNo(1)), ".."))).toBe(false);
    expect(await spool.sessions()).toEqual([]);
    await spool.discard("6".repeat(64));
  });

  test("that is discarded ends the uploads in progress", async () => {
    const spool = await newSpool();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield new Uint8Array(1_000);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    const upload = spool.receive({ ...describeUpload(randomBytes(2 ** 28), 1), offset: 0 }, endless());
    while ((await spool.offset(SID, positionNo(1))) === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await spool.discard(SID);
    expect(await upload).toEqual({ ok: true, value: "partial" });
    expect(existsSync(join(spool.path(SID, positionNo(1)), ".."))).toBe(false);
  });
});

test("a body of Node's HTTP server is accepted as it comes, and a cut connection leaves a part", async () => {
  const spool = await newSpool();
  const bytes = randomBytes(1_500_000);
  const upload = describeUpload(bytes);
  const results: unknown[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      results.push(
        await spool.receive({ ...upload, offset: Number(request.headers["upload-offset"]) }, request),
      );
      response.end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const torn = new ReadableStream({
    start: async (controller) => {
      controller.enqueue(bytes.subarray(0, 600_000));
      while ((await spool.offset(SID, positionNo(1))) === 0)
        await new Promise((resolve) => setTimeout(resolve, 5));
      controller.error(new Error("cut"));
    },
  });
  const init = {
    method: "PUT",
    body: torn,
    headers: { "upload-offset": "0" },
    duplex: "half",
  } as RequestInit;
  await expect(fetch(url, init)).rejects.toThrow();
  while (results.length < 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(results[0]).toEqual({ ok: true, value: "partial" });
  const offset = await spool.offset(SID, positionNo(1));
  expect(offset).toBeGreaterThan(0);
  await fetch(url, {
    method: "PUT",
    body: bytes.subarray(offset),
    headers: { "upload-offset": String(offset) },
  });
  expect(results[1]).toEqual({ ok: true, value: "complete" });
  server.close();
});

/** A file system of a few megabytes; null if this process may not mount one. */
function mountSmall(at: string): { unmount(): void } | null {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", at], { stdio: "ignore" });
  } catch {
    return null;
  }
  return { unmount: () => execFileSync("umount", [at]) };
}

test("a full disk is reported, keeps what was complete and accepts uploads again when freed", async (context) => {
  const at = join(folder, "small");
  await mkdir(at);
  const mounted = mountSmall(at);
  if (mounted === null) {
    console.warn(
      "SKIPPED: the full disk needs a tmpfs, and this process may not mount one (it is not root).",
    );
    context.skip();
    return;
  }
  try {
    const spool = await newSpool(join(at, "spool"));
    const small = randomBytes(500_000);
    const kept = { ...describeUpload(small, 1), offset: 0 };
    expect((await spool.receive(kept, pieces(small))).ok).toBe(true);
    const filler = join(at, "filler");
    await writeFile(filler, randomBytes(600_000));
    const large = randomBytes(1_200_000);
    const upload = { ...describeUpload(large, 2), offset: 0 };
    expect(await spool.receive(upload, pieces(large))).toEqual({
      ok: false,
      error: { type: "storage-full" },
    });
    expect(await spool.offset(SID, positionNo(2))).toBe(0);
    expect(readFileSync(spool.path(SID, positionNo(1)))).toEqual(small);
    await rm(filler);
    expect(await spool.receive(upload, pieces(large))).toEqual({ ok: true, value: "complete" });
    expect(readFileSync(spool.path(SID, positionNo(2)))).toEqual(large);
  } finally {
    mounted.unmount();
  }
});

test("a part whose bytes were damaged on disk does not become an input", async () => {
  const spool = await newSpool();
  const bytes = randomBytes(90_000);
  const upload = describeUpload(bytes);
  await spool.receive({ ...upload, offset: 0 }, pieces(bytes, 1_000, 50_000));
  const part = `${spool.path(SID, positionNo(1))}.part`;
  await writeFile(part, Buffer.concat([bytes.subarray(0, 40_000), Buffer.alloc(5_000)]));
  await appendFile(part, bytes.subarray(45_000, 50_000));
  const result = await spool.receive({ ...upload, offset: 50_000 }, pieces(bytes.subarray(50_000)));
  expect(result).toEqual({ ok: false, error: { type: "bad-root" } });
  expect(await spool.offset(SID, positionNo(1))).toBe(0);
});

test("[A4] a complete upload is read in chunks, each with its path to the root; a partial one is not", async () => {
  const spool = await newSpool();
  const bytes = randomBytes(2 * CHUNK + 40);
  const upload = describeUpload(bytes);
  await spool.receive({ ...upload, offset: 0 }, pieces(bytes, 10_007, CHUNK + 1));
  const { root } = upload;
  const none = { ok: false, error: { type: "not-found" } };
  expect(await spool.chunk(SID, positionNo(1), 0, root)).toEqual(none);
  const offset = await spool.offset(SID, positionNo(1));
  await spool.receive({ ...upload, offset }, pieces(bytes.subarray(offset)));
  for (const index of [0, 1, 2, 0]) {
    const read = await spool.chunk(SID, positionNo(1), index, root);
    const chunk = read.ok ? read.value : null;
    const leaf = bytes.subarray(index * CHUNK, (index + 1) * CHUNK);
    expect(Buffer.from(chunk?.bytes ?? []).equals(leaf)).toBe(true);
    const claim = { index, size: 3, path: chunk?.path ?? [], root: hexToBytes(upload.root) };
    const leafHash = await merkleLeafHash(primitives, new Uint8Array(leaf));
    expect(await verifyInclusion(primitives, { ...claim, leafHash })).toBe(true);
  }
  for (const index of [-1, 3]) expect(await spool.chunk(SID, positionNo(1), index, root)).toEqual(none);
  expect(await spool.chunk(SID, positionNo(2), 0, root)).toEqual(none);
});

describe("[W7] a disk that fails a sync", () => {
  afterEach(() => void vi.restoreAllMocks());

  /** Counts the calls of `method` on every file. */
  async function spyOn(method: "sync" | "datasync") {
    const file = await open(folder, "r");
    await file.close();
    return vi.spyOn(Object.getPrototypeOf(file) as FileHandle, method);
  }
  const trouble = () => Object.assign(new Error("input/output error"), { code: "EIO" });

  test.each([
    ["its folder's name", 0, 2],
    ["its own name", 1, 1],
  ])("of %s: the upload is complete only after a sync that succeeds", async (_which, failing, wanted) => {
    const spool = await newSpool();
    const bytes = randomBytes(1_000);
    const upload = { ...describeUpload(bytes), offset: 0 };
    const sync = await spyOn("sync");
    if (failing === 1) sync.mockImplementationOnce(async () => {});
    sync.mockRejectedValueOnce(trouble());
    await expect(spool.receive(upload, pieces(bytes))).rejects.toThrow("input/output error");
    expect(sync).toHaveBeenCalledTimes(failing + 1);
    sync.mockRejectedValueOnce(trouble());
    await expect(spool.receive(upload, pieces(bytes))).rejects.toThrow("input/output error");
    sync.mockClear();
    expect(await spool.receive(upload, pieces(bytes))).toEqual({ ok: true, value: "complete" });
    expect(sync).toHaveBeenCalledTimes(wanted);
  });

  test("of its bytes: they are sent again, because the next sync would succeed without them", async () => {
    const spool = await newSpool();
    const bytes = randomBytes(1_000);
    const upload = { ...describeUpload(bytes), offset: 0 };
    (await spyOn("datasync")).mockRejectedValueOnce(trouble());
    await expect(spool.receive(upload, pieces(bytes))).rejects.toThrow("input/output error");
    expect(await spool.offset(SID, positionNo(1))).toBe(0);
    expect(await spool.receive(upload, pieces(bytes))).toEqual({ ok: true, value: "complete" });
  });
});
