import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import { primitives, randomBytes } from "#coordinator/adapters/system.ts";
import type { Spool } from "#coordinator/core/ports.ts";
import { merkleRoot } from "#shared/crypto/merkle.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { openBareThreads } from "../kit/bare-threads.ts";
import { type Bench, type BenchLine, type BenchOptions, compared } from "./line.ts";

/*
 * Masked input from a socket to a sum: PUT over the loopback, hashed and written by the spool, then folded with the masks
 * of a round in which every twentieth device dropped out. The sender is a process of its own on this machine. Beside it,
 * in turn: the same bytes out of memory, hashed once and written; AES-256-CTR alone on as many threads as the fold has.
 */

const SMALL = { cohort: 4, length: 1_000 };
const FULL = { cohort: 50, length: 1_000_000 };
const DROPPED_SHARE = 1 / 20;
const UPLOADS_AT_A_TIME = 8;
/** Bytes of a piece of the bare writer; a socket's pieces are as long. */
const PIECE_BYTES = 64 * 1024;
const FOLD_THREADS = Math.min(2, availableParallelism());

interface Upload {
  readonly sid: string;
  readonly position: number;
  readonly byteCount: number;
  readonly sha256: string;
  readonly root: string;
}

export const bench: Bench = { name: "fold", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { cohort, length } = small ? SMALL : FULL;
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-fold-"));
  const spool = await openSpool(folder, primitives);
  const folding = openFolder({ workerCount: FOLD_THREADS });
  const bare = openBareThreads(FOLD_THREADS);
  const body = randomBytes(4 * length);
  // One self mask a survivor, one pair mask for each pair of a survivor and a dropped device.
  const maskCount = Math.round(cohort + DROPPED_SHARE * cohort * cohort);
  const masks = Array.from(
    { length: maskCount },
    (_, i) => ({ key: randomBytes(32), sign: i % 2 === 0 ? 1 : -1 }) as const,
  );
  const facts = await describe(body);
  const bodyFile = join(folder, "body");
  await writeFile(bodyFile, body);
  const megabytes = (cohort * body.length) / 1e6;
  const memory = watchMemory();
  try {
    for (const session of ["warm-up", "measured"]) {
      const sid = createHash("sha256").update(session).digest("hex");
      const uploads = Array.from({ length: cohort }, (_, index) => ({ ...facts, sid, position: index + 1 }));
      if (session === "measured") memory.start();
      const lag = monitorEventLoopDelay({ resolution: 5 });
      lag.enable();
      const receiveSeconds = await receiveAll(spool, uploads, bodyFile);
      lag.disable();
      const bareSeconds = await hashAndWriteAll(body, cohort, folder);

      const inputs = uploads.map(({ position, root }) => ({ path: spool.path(sid, position), root }));
      const plainStart = performance.now();
      const sum = await folding.fold({ length, inputs, masks: [] });
      if (!sum.ok) throw new Error("an input is damaged");
      const addSeconds = (performance.now() - plainStart) / 1e3;
      const maskStart = performance.now();
      await folding.fold({ length, inputs: [], initial: sum.value, masks });
      const maskSeconds = (performance.now() - maskStart) / 1e3;
      const cipherStart = performance.now();
      await bare.cipherAlone(maskCount * body.length);
      const cipherSeconds = (performance.now() - cipherStart) / 1e3;
      await spool.discard(sid);
      if (session === "warm-up") continue;

      yield { name: "masked input hashed and spooled", value: megabytes / receiveSeconds, unit: "MB/s" };
      yield { name: "masked input folded", value: megabytes / addSeconds, unit: "MB/s" };
      yield {
        name: "masked input hashed, spooled and folded",
        value: megabytes / (receiveSeconds + addSeconds),
        unit: "MB/s",
        ...compared(
          "hashed and written alone",
          megabytes / bareSeconds,
          megabytes / (receiveSeconds + addSeconds),
        ),
      };
      const maskMegabytes = (maskCount * body.length) / 1e6;
      yield {
        name: `masks removed (${maskCount} of ${length} coordinates)`,
        value: maskMegabytes / maskSeconds,
        unit: "MB/s",
        ...compared("AES-CTR alone", maskMegabytes / cipherSeconds, maskMegabytes / maskSeconds),
      };
      yield {
        name: "event loop lag while spooling, p99",
        value: Math.max(0, lag.percentile(99) / 1e6 - 5),
        unit: "ms",
      };
      const growth = memory.growthMegabytes();
      yield {
        name: "memory growth after a warm-up, highest",
        value: growth,
        unit: "MB",
        ...compared("limit", 70, growth),
      };
    }
  } finally {
    memory.stop();
    await Promise.all([folding.close(), bare.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function describe(body: Uint8Array): Promise<Pick<Upload, "byteCount" | "sha256" | "root">> {
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < body.length; offset += LIMITS.chunkByteCount) {
    chunks.push(body.subarray(offset, offset + LIMITS.chunkByteCount));
  }
  const root = bytesToHex(await merkleRoot(primitives, chunks));
  return { byteCount: body.length, sha256: createHash("sha256").update(body).digest("hex"), root };
}

/** Seconds to hash `body` once and to write it durably, as often as there are uploads and as many at a time. */
async function hashAndWriteAll(body: Uint8Array, count: number, folder: string): Promise<number> {
  const start = performance.now();
  let next = 0;
  const paths: string[] = [];
  const worker = async () => {
    while (next < count) {
      const path = join(folder, `bare-${next++}`);
      paths.push(path);
      const file = await open(path, "wx");
      const digest = createHash("sha256");
      for (let offset = 0; offset < body.length; offset += PIECE_BYTES) {
        const piece = body.subarray(offset, offset + PIECE_BYTES);
        digest.update(piece);
        await file.write(piece);
      }
      digest.digest();
      await file.datasync();
      await file.close();
    }
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_A_TIME }, worker));
  const seconds = (performance.now() - start) / 1e3;
  await Promise.all(paths.map((path) => rm(path)));
  return seconds;
}

/** Seconds from the first byte to the last acknowledgement. */
async function receiveAll(spool: Spool, uploads: readonly Upload[], bodyFile: string): Promise<number> {
  let start: number | undefined;
  let end = 0;
  const server = createServer((incoming, response) => {
    start ??= performance.now();
    const upload = uploads[Number(incoming.url?.slice(1))] as Upload;
    void spool.receive({ ...upload, offset: 0 }, incoming).then((result) => {
      end = performance.now();
      response.statusCode = result.ok && result.value === "complete" ? 201 : 500;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const script = fileURLToPath(new URL("../kit/children/uploader.ts", import.meta.url));
  const args = [script, port, bodyFile, uploads.length, UPLOADS_AT_A_TIME].map(String);
  const sender = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise((resolve) => sender.once("exit", resolve));
  server.close();
  if (code !== 0) throw new Error(`the sender ended with code ${String(code)}`);
  return (end - (start ?? end)) / 1e3;
}

/** The highest resident set since `start`, over what it was then. */
function watchMemory() {
  let base = 0;
  let highest = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    start: () => {
      base = process.memoryUsage.rss();
      highest = base;
      timer = setInterval(() => {
        highest = Math.max(highest, process.memoryUsage.rss());
      }, 5);
    },
    growthMegabytes: () => (highest - base) / 1e6,
    stop: () => clearInterval(timer),
  };
}
