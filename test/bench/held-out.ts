import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { type ByteSource, sourceOf } from "#shared/archive/byte-source.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import { type HeldOutUpload, heldOutUploadSchema } from "#shared/protocol/api.ts";
import type { HeldOutFormat } from "#shared/task/held-out.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import { idxHeader } from "../kit/files/idx.ts";
import { watchResident } from "../kit/resident-bytes.ts";
import { asAdmin } from "../kit/worlds/as-admin.ts";
import { until } from "../kit/worlds/coordinator-process.ts";
import {
  openProcessFederation,
  type ProcessFederation,
  pictureTask,
} from "../kit/worlds/process-federation.ts";
import { type Bench, type BenchLine, type BenchOptions, compared } from "./line.ts";
import { repeated, splitAlone } from "./repeated.ts";

/*
 * Held-out rows over the loopback into a coordinator of their own process: a table and an IDX pair, each stored and then
 * checked, and the process's highest resident memory from the first byte to the end of the check.
 *
 * Baselines, measured in the same run. For storing: the same requests from the same sender into a plain file, synced at the
 * end. For checking: the table decoded and split alone; the pair hashed alone. For memory: a small file of the same kind, in
 * a fresh coordinator.
 */

const FULL = { table: 500e6, pictures: 60_000, smallByteCount: 10e6, turns: 3 };
const SMALL = { table: 600_000, pictures: 300, smallByteCount: 100_000, turns: 1 };
const PART_BYTES = 16 * 2 ** 20;
const COLUMNS = 128;
const BLOCK_ROWS = 40;
const PICTURE_BYTES = 28 * 28;
const CHECK_WITHIN_MS = 600_000;
const CARD = { source: "Made up.", licence: "None.", ground: "A bench.", collected: "2026" };

export const bench: Bench = { name: "held-out", run };

interface Kind {
  readonly name: string;
  readonly format: HeldOutFormat;
  readonly task: Task;
  readonly large: ByteSource;
  readonly small: ByteSource;
  readonly peer: string;
  /** Milliseconds of the least that a check does. */
  floorMs(source: ByteSource): Promise<number>;
}

async function* run({ small = false, only = "" }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { table, pictures, smallByteCount, turns } = small ? SMALL : FULL;
  const kinds: readonly Kind[] = [
    {
      ...{ name: "CSV", format: "csv", task: tableTask() },
      ...{ large: tableOf(table), small: tableOf(smallByteCount) },
      peer: "decoded and split alone",
      floorMs: async (source) => (await splitAlone(source, 0)).wholeMs,
    },
    {
      ...{ name: "IDX pair", format: "idx", task: pictureTask(3, 2) },
      ...{ large: pairOf(pictures), small: pairOf(Math.floor(smallByteCount / PICTURE_BYTES)) },
      peer: "hashed alone",
      floorMs: hashAlone,
    },
  ];
  for (const kind of kinds) if (kind.name.includes(only)) yield* measure(kind, turns);
}

async function* measure(kind: Kind, turns: number): AsyncIterable<BenchLine> {
  const { name, large, small } = kind;
  const [bytes, smallBytes] = [large, small].map(({ byteCount }) => byteCount / 1e6) as [number, number];
  const size = `${name} of ${bytes.toFixed(bytes < 10 ? 1 : 0)} MB`;
  const least = await uploadAndCheck(kind, small, 1, null);
  const floor = await openFloor();
  try {
    const { storedS, floorS, checkedS, peakBytes } = await uploadAndCheck(kind, large, turns, floor);
    const stored = bytes / storedS;
    yield {
      name: `${size}: stored`,
      value: stored,
      unit: "MB/s",
      ...compared("a plain file, synced, from the same sender", bytes / floorS, stored),
    };
    const checked = bytes / checkedS;
    const aloneS = (await kind.floorMs(large)) / 1e3;
    yield {
      name: `${size}: checked`,
      value: checked,
      unit: "MB/s",
      ...compared(kind.peer, bytes / aloneS, checked),
    };
    const peak = peakBytes / 1e6;
    yield {
      name: `${size}: highest resident memory`,
      value: peak,
      unit: "MB",
      ...compared(`of one of ${smallBytes.toFixed(1)} MB`, least.peakBytes / 1e6, peak),
    };
  } finally {
    await floor.close();
  }
}

/** Stores the bytes `turns` times, in turn with the floor, and checks the last. Times are those of the fastest turn. */
async function uploadAndCheck(
  { format, task }: Kind,
  source: ByteSource,
  turns: number,
  floor: Floor | null,
): Promise<{
  readonly storedS: number;
  readonly floorS: number;
  readonly checkedS: number;
  readonly peakBytes: number;
}> {
  const federation = await openProcessFederation(task, []);
  const memory = watchResident(federation.coordinatorPid);
  const times: { readonly storedS: number; readonly floorS: number }[] = [];
  try {
    for (let turn = 1; ; turn++) {
      const floorS = floor === null ? Number.NaN : await floor.receive(source);
      const { address, storedS } = await store(federation, task.slug, format, source);
      times.push({ storedS, floorS });
      if (turn < turns) {
        // The check of this turn is not what is measured. It may be over.
        await federation.api.ask(`${address}/stop`, {}).catch(() => undefined);
        continue;
      }
      const beganMs = performance.now();
      const end = await until("the end of the check", CHECK_WITHIN_MS, async () => {
        const upload = heldOutUploadSchema.parse(await federation.api.ask(address));
        return upload.state === "checking" ? null : upload;
      });
      if (end.state !== "set") throw new Error(`the rows are ${end.state}: ${end.refusal?.error.message}`);
      const fastest = (pick: (one: (typeof times)[number]) => number) => Math.min(...times.map(pick));
      return {
        storedS: fastest((one) => one.storedS),
        floorS: fastest((one) => one.floorS),
        checkedS: (performance.now() - beganMs) / 1e3,
        peakBytes: memory.highest(),
      };
    }
  } finally {
    memory.stop();
    await federation.close();
  }
}

/** Sends all bytes. @returns The upload's address, and the seconds until the answer that they are stored. */
async function store(
  { url, api }: ProcessFederation,
  slug: string,
  format: HeldOutFormat,
  source: ByteSource,
): Promise<{ readonly address: string; readonly storedS: number }> {
  const uploads = `/tasks/${slug}/held-out/uploads`;
  const begin = { format, byteCount: source.byteCount, card: CARD };
  const { uploadId } = await api.ask<HeldOutUpload>(uploads, begin);
  const address = `${uploads}/${uploadId}`;
  return { address, storedS: await sendAll(`${url}/api/v1${address}`, source, asAdmin(url)) };
}

/** Sends a source in parts, one after the other on one connection. @returns Seconds. */
async function sendAll(
  url: string,
  source: ByteSource,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const beganMs = performance.now();
  for (let from = 0; from < source.byteCount; from += PART_BYTES) {
    const to = Math.min(source.byteCount, from + PART_BYTES);
    const range = `bytes ${from}-${to - 1}/${source.byteCount}`;
    const status = await put(agent, url, await source.read(from, to), { ...headers, "content-range": range });
    if (status !== (to < source.byteCount ? 202 : 200)) throw new Error(`a part was answered with ${status}`);
  }
  const seconds = (performance.now() - beganMs) / 1e3;
  agent.destroy();
  return seconds;
}

function put(
  agent: Agent,
  url: string,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const own = { "content-type": "application/octet-stream", "content-length": bytes.length };
    const outgoing = request(url, { agent, method: "PUT", headers: { ...own, ...headers } }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    });
    outgoing.on("error", reject);
    outgoing.end(bytes);
  });
}

/** Takes the same requests in a process of its own, and does nothing but write. */
interface Floor {
  /** Seconds. */
  receive(source: ByteSource): Promise<number>;
  close(): Promise<void>;
}

async function openFloor(): Promise<Floor> {
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-plain-"));
  const script = fileURLToPath(new URL("../kit/children/plain-receiver.ts", import.meta.url));
  const child: ChildProcess = fork(script, [join(folder, "file")], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [url] = (await once(child, "message")) as [string];
  return {
    receive: (source) => sendAll(url, source, {}),
    close: async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function hashAlone(source: ByteSource): Promise<number> {
  const beganMs = performance.now();
  const hash = createHash("sha256");
  for (let from = 0; from < source.byteCount; from += PART_BYTES)
    hash.update(await source.read(from, Math.min(source.byteCount, from + PART_BYTES)));
  hash.digest();
  return performance.now() - beganMs;
}

/** Numbers in 128 columns and two classes: a device takes 200,000 such rows, which are 500 MB. */
function tableTask(): Task {
  const task = bundledTask("hmda", 3, 1);
  return taskSchema.parse({
    ...task,
    slug: "wide",
    model: {
      format: "tfjs-layers",
      inputShape: [COLUMNS],
      classCount: 2,
      layers: [{ className: "Dense", name: "classes", units: 2, activation: "softmax" }],
    },
    features: {
      kind: "tabular",
      columns: columnNames().map((name) => ({ name, type: "numeric", range: [0, 1] })),
      label: { name: "label" },
      classes: ["no", "yes"],
    },
  });
}

const columnNames = () => Array.from({ length: COLUMNS }, (_, index) => `measured_${index}`);

function tableOf(byteCount: number): ByteSource {
  const header = `${[...columnNames(), "label"].join(",")}\n`;
  const rows = Array.from({ length: BLOCK_ROWS }, (_, row) => {
    const cells = Array.from({ length: COLUMNS }, (__, column) =>
      (((row * 131 + column * 37) % 9_973) / 9_973).toFixed(17),
    );
    return `${cells.join(",")},${row % 3 === 0 ? "yes" : "no"}\n`;
  });
  return repeated(utf8(header), utf8(rows.join("")), byteCount);
}

/** Both files, one after the other. */
function pairOf(count: number): ByteSource {
  const values = Buffer.alloc(
    count * PICTURE_BYTES,
    Uint8Array.from({ length: 4_001 }, (_, at) => (at * 31) % 256),
  );
  const labels = Uint8Array.from({ length: count }, (_, at) => at % 10);
  return sourceOf(Buffer.concat([idxHeader(count, 28, 28), values, idxHeader(count), labels]));
}
