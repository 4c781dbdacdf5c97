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
import type { CombinePorts } from "#coordinator/core/combine.ts";
import { EarlyFold } from "#coordinator/core/early-fold.ts";
import type { Folder, Spool } from "#coordinator/core/ports.ts";
import type { Session } from "#coordinator/core/session.ts";
import type { RunTerms } from "#coordinator/core/terms.ts";
import { merkleRoot } from "#shared/crypto/merkle.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { VersionedMap } from "#shared/kernel/versioned-map.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { InputFact } from "#shared/round/state.ts";
import { openBareThreads } from "../kit/bare-threads.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * Masked input from a socket to a sum: PUT over the loopback, hashed and written by the spool and added while others come,
 * as in a round; then the masks of a round in which every twentieth device dropped out. The sender is a process of its
 * own on this machine and takes its part of it. Beside it, in turn: the same out of memory; the same bytes hashed once and
 * written, durably, by nothing but that; AES-256-CTR alone on as many threads as the fold has.
 */

const SMALL = { cohort: 4, length: 1_000 };
const FULL = { cohort: 50, length: 1_000_000 };
const DROPPED_SHARE = 1 / 20;
const UPLOADS_AT_A_TIME = 8;
/** Of the bare writer; with 64 KiB, as a socket's pieces are, it would be slower. */
const PIECE_BYTES = 1024 * 1024;
const SOCKET_PIECE_BYTES = 64 * 1024;
const TURNS = 5;
const FOLD_THREADS = Math.min(2, availableParallelism());

/** All in turn. */
interface Turn {
  readonly receiveS: number;
  /** From the first byte to the sum; inputs are added while others come. */
  readonly wholeS: number;
  /** The same out of memory. */
  readonly memoryS: number;
  /** Of all inputs at once. */
  readonly addS: number;
  readonly bareS: number;
  readonly maskS: number;
  readonly cipherS: number;
  readonly lagMs: number;
}

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
  const threads = openBareThreads(FOLD_THREADS);
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
  const memory = watchMemory();
  try {
    const measure = async (session: string): Promise<Turn> => {
      const sid = createHash("sha256").update(session).digest("hex");
      const uploads = Array.from({ length: cohort }, (_, index) => ({ ...facts, sid, position: index + 1 }));
      const lag = monitorEventLoopDelay({ resolution: 5 });
      lag.enable();
      memory.start();
      const received = new Folding(spool, folding, length, uploads);
      const receiveS = await receiveAll(spool, uploads, bodyFile, received);
      const wholeS = await received.seconds();
      memory.stop();
      lag.disable();
      const inputs = uploads.map(({ position, root }) => ({ path: spool.path(sid, position), root }));
      let sum: Uint32Array<ArrayBuffer> = new Uint32Array(0);
      const addS = await secondsOf(async () => {
        const folded = await folding.fold({ length, inputs, masks: [] });
        if (!folded.ok) throw new Error("an input is damaged");
        sum = folded.value;
      });
      await spool.discard(sid);
      const spooled = new Folding(spool, folding, length, uploads);
      await spoolAll(spool, uploads, body, spooled);
      const memoryS = await spooled.seconds();
      await spool.discard(sid);
      const bareS = await hashAndWriteAll(body, cohort, folder);
      const maskS = await secondsOf(async () => {
        const opened = await folding.fold({ length, inputs: [], initial: sum, masks });
        if (opened.ok) release(opened.value, sum);
      });
      const cipherS = await secondsOf(() => threads.cipherAlone(maskCount * body.length));
      return { receiveS, wholeS, memoryS, addS, bareS, maskS, cipherS, lagMs: lag.percentile(99) / 1e6 - 5 };
    };
    await measure("warm-up");
    memory.begin();
    const turns: Turn[] = [];
    for (let turn = 0; turn < (small ? 1 : TURNS); turn++) turns.push(await measure(`turn ${turn}`));
    /** The quickest: what the machine's other work leaves alone. */
    const rate = (bytes: number, pick: (turn: Turn) => number) => bytes / 1e6 / Math.min(...turns.map(pick));
    const inputBytes = cohort * body.length;
    const bare = rate(inputBytes, (turn) => turn.bareS);
    const received = rate(inputBytes, (turn) => turn.receiveS);
    yield { name: "masked input received, hashed and spooled", value: received, unit: "MB/s" };
    const added = rate(inputBytes, (turn) => turn.addS);
    yield { name: "masked input hashed again and folded", value: added, unit: "MB/s" };
    for (const [from, seconds] of [
      ["out of memory", (turn: Turn) => turn.memoryS],
      ["over the loopback, the sender beside it", (turn: Turn) => turn.wholeS],
    ] as const) {
      const whole = rate(inputBytes, seconds);
      yield {
        name: `masked input hashed, spooled and folded, ${from}`,
        value: whole,
        unit: "MB/s",
        ...compared("hashed once and written, alone", bare, whole),
      };
    }
    const maskBytes = maskCount * body.length;
    const removed = rate(maskBytes, (turn) => turn.maskS);
    yield {
      name: `masks removed (${maskCount} of ${length} coordinates)`,
      value: removed,
      unit: "MB/s",
      ...compared(
        "AES-CTR alone",
        rate(maskBytes, (turn) => turn.cipherS),
        removed,
      ),
    };
    const lags = turns.map(({ lagMs }) => Math.max(0, lagMs));
    yield { name: "event loop lag while spooling, p99", value: quantile(lags, 0.5), unit: "ms" };
    const growth = memory.growthMegabytes();
    yield {
      name: "memory growth after a warm-up, highest",
      value: growth,
      unit: "MB",
      ...compared("limit", 70, growth),
    };
  } finally {
    memory.stop();
    await Promise.all([folding.close(), threads.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The product's fold of one session beside its uploads, and how long both take. */
class Folding {
  readonly #early: EarlyFold;
  readonly #inputs = new Map<number, InputFact>();
  readonly #count: number;
  #beganMs = 0;
  #whole: Promise<number> | null = null;

  constructor(spool: Spool, folder: Folder, length: number, uploads: readonly Upload[]) {
    this.#count = uploads.length;
    const ports = { spool, folder, clock: { nowMs: () => performance.now() }, metrics: { folded: () => {} } };
    const same = <T>(value: T) => value;
    const session = { sid: uploads[0]?.sid, positionsIn: same, seatOf: same };
    const { signal } = new AbortController();
    const terms = { layout: { length } };
    this.#early = new EarlyFold(
      ports as unknown as CombinePorts,
      terms as unknown as RunTerms,
      session as unknown as Session,
      signal,
    );
  }

  begin(): void {
    this.#beganMs = performance.now();
  }

  /** An upload is on disk and checked. */
  done({ position, sha256, root }: Upload): void {
    this.#inputs.set(position, { sha256, root });
    if (this.#inputs.size < this.#count) this.#early.offer(position, { sha256, root });
    else this.#whole = this.#finish();
  }

  async #finish(): Promise<number> {
    const u3 = [...this.#inputs.keys()].sort((left, right) => left - right);
    const sum = await this.#early.finish({ u3, inputs: VersionedMap.from([...this.#inputs]) });
    if (!sum.ok) throw new Error("an input is damaged");
    const seconds = (performance.now() - this.#beganMs) / 1e3;
    release(sum.value);
    return seconds;
  }

  /** From the first byte to the sum of all. */
  seconds(): Promise<number> {
    if (this.#whole === null) throw new Error("uploads are missing");
    return this.#whole;
  }
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1e3;
}

async function describe(body: Uint8Array): Promise<Pick<Upload, "byteCount" | "sha256" | "root">> {
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < body.length; offset += LIMITS.chunkByteCount) {
    chunks.push(body.subarray(offset, offset + LIMITS.chunkByteCount));
  }
  const root = bytesToHex(await merkleRoot(primitives, chunks));
  return { byteCount: body.length, sha256: createHash("sha256").update(body).digest("hex"), root };
}

/** As `receiveAll`, without the network. */
async function spoolAll(
  spool: Spool,
  uploads: readonly Upload[],
  body: Uint8Array,
  folding: Folding,
): Promise<void> {
  let next = 0;
  folding.begin();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < body.length; offset += SOCKET_PIECE_BYTES)
      yield body.subarray(offset, offset + SOCKET_PIECE_BYTES);
  }
  const worker = async () => {
    for (let upload = uploads[next++]; upload !== undefined; upload = uploads[next++]) {
      const result = await spool.receive({ ...upload, offset: 0 }, pieces());
      if (!result.ok) throw new Error(`an upload was refused: ${result.error.type}`);
      folding.done(upload);
    }
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_A_TIME }, worker));
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
async function receiveAll(
  spool: Spool,
  uploads: readonly Upload[],
  bodyFile: string,
  folding: Folding,
): Promise<number> {
  let start: number | undefined;
  let end = 0;
  const server = createServer((incoming, response) => {
    if (start === undefined) {
      start = performance.now();
      folding.begin();
    }
    const upload = uploads[Number(incoming.url?.slice(1))] as Upload;
    // As the product's route does.
    const free = (piece: Uint8Array) => release(piece as Uint8Array<ArrayBuffer>);
    void spool.receive({ ...upload, offset: 0 }, incoming, free).then((result) => {
      end = performance.now();
      folding.done(upload);
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

/** The highest resident set while it runs, over what it was at `begin`. */
function watchMemory() {
  let base = 0;
  let highest = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    begin: () => {
      base = process.memoryUsage.rss();
      highest = base;
    },
    start: () => {
      timer = setInterval(() => {
        highest = Math.max(highest, process.memoryUsage.rss());
      }, 5);
    },
    growthMegabytes: () => (highest - base) / 1e6,
    stop: () => clearInterval(timer),
  };
}
