import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import type { Folder, Spool } from "#coordinator/core/ports/ports.ts";
import type { CombinePorts } from "#coordinator/core/rounds/combine.ts";
import { EarlyFold } from "#coordinator/core/rounds/early-fold.ts";
import type { Session } from "#coordinator/core/rounds/session.ts";
import type { RunTerms } from "#coordinator/core/tasks/terms.ts";
import { merkleRoot } from "#shared/crypto/merkle.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { type Position, positionAtIndex, type Seat, seatOfPosition } from "#shared/kernel/places.ts";
import { release } from "#shared/kernel/release.ts";
import { VersionedMap } from "#shared/kernel/versioned-map.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { InputFact } from "#shared/round/state.ts";
import { positionNo } from "#test/kit/places.ts";
import { openBareThreads } from "../kit/bare-threads.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * Masked inputs from a socket to a sum: PUT over the loopback, hashed and written by the spool, and added while others
 * arrive, as in a round; then the masks of a round in which every twentieth device dropped out. The sender is a process
 * of its own on this machine and uses its share of it. The same is measured from memory, without the network.
 *
 * The baselines run alternately with it, over the same bytes and with the same concurrency: hashed once and written,
 * with one fdatasync per file; the same with the folder synced after each file, which a receipt needs because a file
 * without a durable name is lost; the latter from the same sender over the loopback; and AES-256-CTR alone on as many
 * threads as the fold has.
 */

const SMALL = { cohort: 4, length: 1_000 };
const FULL = { cohort: 50, length: 1_000_000 };
const DROPPED_SHARE = 1 / 20;
const UPLOADS_AT_A_TIME = 8;
/** For the bare writer; with 64 KiB, like a socket's pieces, it would be slower. */
const PIECE_BYTES = 1024 * 1024;
const SOCKET_PIECE_BYTES = 64 * 1024;
const TURNS = 5;
const FOLD_THREADS = Math.min(2, availableParallelism());

/** One measurement of everything, in turn. */
interface Turn {
  readonly receiveS: number;
  /** From the first byte to the sum; inputs are added while others arrive. */
  readonly wholeS: number;
  /** The same from memory. */
  readonly memoryS: number;
  /** Adding all inputs at once. */
  readonly addS: number;
  /** Hashing once and writing, alone. */
  readonly bareS: number;
  /** The same with a name that is as durable. */
  readonly durableS: number;
  /** The same over the loopback. */
  readonly bareReceiveS: number;
  readonly maskS: number;
  readonly cipherS: number;
  readonly lagMs: number;
}

interface Upload {
  readonly sid: string;
  readonly position: Position;
  readonly byteCount: number;
  readonly sha256: string;
  readonly root: string;
}

export const bench: Bench = { name: "fold", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { cohort, length } = small ? SMALL : FULL;
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-fold-"));
  const intake = openIntake();
  const spool = await openSpool(folder, primitives, intake);
  const folding = openFolder({ workerCount: FOLD_THREADS, intake });
  const threads = openBareThreads(FOLD_THREADS);
  const body = randomBytes(4 * length);
  // One self mask per survivor, and one pair mask for each pair of a survivor and a dropped device.
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
      const uploads = Array.from({ length: cohort }, (_, index) => ({
        ...facts,
        sid,
        position: positionAtIndex(index),
      }));
      const lag = monitorEventLoopDelay({ resolution: 5 });
      lag.enable();
      memory.start();
      const received = new Folding(spool, folding, length, uploads);
      const receiveS = await receiveAll(spool, uploads, bodyFile, received);
      const wholeS = await received.seconds();
      memory.stop();
      lag.disable();
      const inputs = uploads.map(({ position, root }) => ({
        path: spool.path(sid, positionNo(position)),
        root,
      }));
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
      const bareS = await hashAndWriteAll(body, cohort, folder, "not synced");
      const durableS = await hashAndWriteAll(body, cohort, folder, "synced");
      const bareReceiveS = await receiveBare(cohort, bodyFile, folder);
      const maskS = await secondsOf(async () => {
        const opened = await folding.fold({ length, inputs: [], initial: sum, masks });
        if (opened.ok) release(opened.value, sum);
      });
      const cipherS = await secondsOf(() => threads.cipherAlone(maskCount * body.length));
      const floors = { bareS, durableS, bareReceiveS, cipherS };
      return { receiveS, wholeS, memoryS, addS, maskS, ...floors, lagMs: lag.percentile(99) / 1e6 - 5 };
    };
    await measure("warm-up");
    memory.begin();
    const turns: Turn[] = [];
    for (let turn = 0; turn < (small ? 1 : TURNS); turn++) turns.push(await measure(`turn ${turn}`));
    /** From the fastest turn, which the machine's other work disturbed least. */
    const rate = (bytes: number, pick: (turn: Turn) => number) => bytes / 1e6 / Math.min(...turns.map(pick));
    const inputBytes = cohort * body.length;
    const received = rate(inputBytes, (turn) => turn.receiveS);
    yield { name: "masked input received, hashed and spooled", value: received, unit: "MB/s" };
    const added = rate(inputBytes, (turn) => turn.addS);
    yield { name: "masked input hashed again and folded", value: added, unit: "MB/s" };
    const whole = "masked input hashed, spooled and folded";
    const memoryRate = rate(inputBytes, (turn) => turn.memoryS);
    const loopbackRate = rate(inputBytes, (turn) => turn.wholeS);
    for (const [name, value, floorName, floor] of [
      [
        "out of memory",
        memoryRate,
        "hashed once, written and fdatasynced, alone",
        (turn: Turn) => turn.bareS,
      ],
      ["out of memory", memoryRate, "with its folder synced too, alone", (turn: Turn) => turn.durableS],
      [
        "over the loopback",
        loopbackRate,
        "the same from the same sender, alone",
        (turn: Turn) => turn.bareReceiveS,
      ],
      ["over the loopback", loopbackRate, "the same without a network, alone", (turn: Turn) => turn.durableS],
    ] as const) {
      const alone = rate(inputBytes, floor);
      yield { name: `${whole}, ${name}`, value, unit: "MB/s", ...compared(floorName, alone, value) };
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
    await Promise.all([folding.close(), intake.close(), threads.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The product's fold of one session during its uploads, and the time of both. */
class Folding {
  readonly #early: EarlyFold;
  readonly #inputs = new Map<Seat, InputFact>();
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
      { ports: ports as unknown as CombinePorts, terms: terms as unknown as RunTerms, signal },
      session as unknown as Session,
    );
  }

  /** Only the first call counts. */
  begin(): void {
    this.#beganMs ||= performance.now();
  }

  /** Called when an upload is on disk and checked. */
  done({ position, sha256, root }: Upload): void {
    const seat = seatOfPosition(position, 0);
    this.#inputs.set(seat, { sha256, root });
    if (this.#inputs.size < this.#count) this.#early.offer(seat, { sha256, root });
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

  /** From the first byte to the sum of all inputs. */
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

/** Like `receiveAll`, without the network. */
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

/** Seconds to hash `body` once and write it durably, as often and as concurrently as the uploads. */
async function hashAndWriteAll(
  body: Uint8Array,
  count: number,
  folder: string,
  names: "synced" | "not synced",
): Promise<number> {
  const session = join(folder, "bare");
  await mkdir(session);
  const start = performance.now();
  let next = 0;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < body.length; offset += PIECE_BYTES)
      yield body.subarray(offset, offset + PIECE_BYTES);
  }
  const worker = async () => {
    while (next < count) {
      await hashAndWrite(join(session, String(next++)), pieces());
      if (names === "synced") await syncFolder(session);
    }
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_A_TIME }, worker));
  const seconds = (performance.now() - start) / 1e3;
  await rm(session, { recursive: true });
  return seconds;
}

/** One SHA-256, writes of a megabyte in parallel, one fdatasync. */
async function hashAndWrite(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  free: (piece: Uint8Array) => void = () => {},
): Promise<void> {
  const file = await open(path, "wx");
  const digest = createHash("sha256");
  let batch: Uint8Array[] = [];
  let batchByteCount = 0;
  let writing: Promise<void> = Promise.resolve();
  const write = async (full: readonly Uint8Array[]) => {
    await file.writev(full);
    full.forEach(free);
  };
  for await (const piece of pieces) {
    digest.update(piece);
    batch.push(piece);
    batchByteCount += piece.length;
    if (batchByteCount < PIECE_BYTES) continue;
    await writing;
    writing = write(batch);
    batch = [];
    batchByteCount = 0;
  }
  await writing;
  if (batch.length > 0) await write(batch);
  digest.digest();
  await file.datasync();
  await file.close();
}

/** Seconds from the first byte to the last acknowledgement. */
async function receiveAll(
  spool: Spool,
  uploads: readonly Upload[],
  bodyFile: string,
  folding: Folding,
): Promise<number> {
  return uploadAll(uploads.length, bodyFile, async (incoming, index) => {
    folding.begin();
    const upload = uploads[index] as Upload;
    const result = await spool.receive({ ...upload, offset: 0 }, incoming, freePiece);
    folding.done(upload);
    return result.ok && result.value === "complete";
  });
}

/** The same requests from the same sender, only hashed once and written durably. */
async function receiveBare(count: number, bodyFile: string, folder: string): Promise<number> {
  const session = join(folder, "bare");
  await mkdir(session);
  const seconds = await uploadAll(count, bodyFile, async (incoming, index) => {
    await hashAndWrite(join(session, String(index)), incoming, freePiece);
    await syncFolder(session);
    return true;
  });
  await rm(session, { recursive: true });
  return seconds;
}

/** Frees the piece like the product's route. */
function freePiece(piece: Uint8Array): void {
  release(piece as Uint8Array<ArrayBuffer>);
}

/** Seconds from the sender's first byte to the last answer. */
async function uploadAll(
  count: number,
  bodyFile: string,
  take: (incoming: IncomingMessage, index: number) => Promise<boolean>,
): Promise<number> {
  let start: number | undefined;
  let end = 0;
  const server = createServer((incoming, response) => {
    start ??= performance.now();
    void take(incoming, Number(incoming.url?.slice(1))).then((isTaken) => {
      end = performance.now();
      response.statusCode = isTaken ? 201 : 500;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const script = fileURLToPath(new URL("../kit/children/uploader.ts", import.meta.url));
  const args = [script, port, bodyFile, count, UPLOADS_AT_A_TIME].map(String);
  const sender = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise((resolve) => sender.once("exit", resolve));
  server.close();
  if (code !== 0) throw new Error(`the sender ended with code ${String(code)}`);
  return (end - (start ?? end)) / 1e3;
}

/** The highest resident set while it runs, above its size at `begin`. */
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
