import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { layoutSentences } from "#shared/data/idx.ts";
import { idxLayoutOf, idxSetsIn } from "#shared/data/set-layout.ts";
import { some } from "#shared/data/words.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { listFolder } from "#shared/node/folder-files.ts";
import { type HeldOutUpload, heldOutUploadSchema } from "#shared/protocol/api.ts";
import type { HeldOutReading } from "#shared/task/held-out.ts";
import { type CoordinatorApi, NoAnswer } from "../../adapters/coordinator-api.ts";
import type { TaskOptions } from "./options.ts";

const PART_BYTES = 16 * 2 ** 20;
const AGAIN_MS = 1_000;
/** How often an upload is continued after a lost connection. */
const TRIES_MAX = 10;
const LOOK_MS = 300;

/** Files that are sent one after the other. */
interface Rows {
  readonly reading: HeldOutReading;
  readonly paths: readonly string[];
}

/** @returns The exit code. @throws Error with the coordinator's sentence. */
export async function holdOut({
  task,
  path,
  card,
  api,
}: Extract<TaskOptions, { verb: "hold-out" }>): Promise<number> {
  const rows = await rowsAt(path);
  if (!rows.ok) {
    console.error(rows.error);
    return 2;
  }
  const sizes = await Promise.all(rows.value.paths.map(async (file) => (await stat(file)).size));
  const byteCount = sizes.reduce((sum, size) => sum + size, 0);
  if (byteCount === 0) {
    console.error(`${path} is empty.`);
    return 2;
  }
  const { reading } = rows.value;
  const uploads = `/tasks/${task}/held-out/uploads`;
  const begun = await api.post(uploads, { ...reading, byteCount, card }, heldOutUploadSchema);
  const address = `${uploads}/${begun.uploadId}`;
  let upload = await send(api, address, rows.value.paths, sizes);
  while (upload.state === "checking") {
    await pause(LOOK_MS);
    upload = await api.get(address, heldOutUploadSchema);
  }
  return report(upload);
}

/** Which files are meant, and how they are read. Error: a sentence. */
export async function rowsAt(path: string): Promise<Result<Rows, string>> {
  const found = await stat(path).catch(() => null);
  if (found === null) return err(`There is nothing at ${path}. Check the path.`);
  if (found.isDirectory()) {
    const [set, ...others] = idxSetsIn(await listFolder(path), "test");
    if (set === undefined)
      return err(`${path} is a folder without an IDX pair. Pack pictures in folders by class as a zip file.`);
    if (others.length > 0) {
      const names = some([set, ...others].map(({ pictures }) => pictures));
      return err(`${path} holds several sets: ${names}. Put the one that is meant into a folder of its own.`);
    }
    const { pictures, labels } = set;
    const reading = { format: "idx", layout: idxLayoutOf(pictures) } as const;
    return ok({ reading, paths: [join(path, pictures), join(path, labels)] });
  }
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const isZip = bytesRead === 4 && buffer.toString("latin1", 0, 2) === "PK";
    return ok({ reading: { format: isZip ? "zip" : "csv" }, paths: [path] });
  } finally {
    await file.close();
  }
}

/** Sends all bytes in parts, and continues after a lost connection. */
async function send(
  api: CoordinatorApi,
  address: string,
  paths: readonly string[],
  sizes: readonly number[],
): Promise<HeldOutUpload> {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const files = await Promise.all(paths.map((path) => open(path)));
  let tries = 0;
  let at = 0;
  try {
    for (;;) {
      try {
        const bytes = await readAcross(files, sizes, at, Math.min(total, at + PART_BYTES));
        const upload = await api.put(address, { bytes, from: at, total }, heldOutUploadSchema);
        if (upload.state !== "receiving") return upload;
        at = upload.receivedByteCount;
        console.error(`${Math.floor((100 * at) / total)} % sent`);
        tries = 0;
      } catch (error) {
        if (!(error instanceof NoAnswer) || ++tries > TRIES_MAX) throw error;
        await pause(AGAIN_MS);
        const reached = await api.get(address, heldOutUploadSchema).catch(() => null);
        if (reached !== null && reached.state !== "receiving") return reached;
        at = reached?.receivedByteCount ?? at;
      }
    }
  } finally {
    for (const file of files) await file.close();
  }
}

/** Bytes of the files, as if they were one. */
async function readAcross(
  files: readonly FileHandle[],
  sizes: readonly number[],
  from: number,
  to: number,
): Promise<Bytes> {
  const bytes = new Uint8Array(to - from);
  let begin = 0;
  for (const [index, file] of files.entries()) {
    const end = begin + (sizes[index] ?? 0);
    let at = Math.max(from, begin);
    while (at < Math.min(to, end)) {
      const length = Math.min(to, end) - at;
      const { bytesRead } = await file.read(bytes, at - from, length, at - begin);
      if (bytesRead === 0) throw new Error("The file has become shorter while it was sent. Send it again.");
      at += bytesRead;
    }
    begin = end;
  }
  return bytes;
}

/** @returns The exit code. */
function report({ state, set, refusal }: HeldOutUpload): number {
  if (state === "set" && set !== null) {
    console.log(
      `${set.rowCount.toLocaleString("en")} rows judge the task's models from now on, as ${set.hash}.`,
    );
    const { balance, layout } = set;
    for (const sentence of layout === undefined ? [] : layoutSentences(layout)) console.log(`  ${sentence}`);
    if (balance.kind === "classes")
      for (const { name, rows } of balance.counts) console.log(`  ${name}  ${rows.toLocaleString("en")}`);
    else
      console.log(
        `  labels from ${balance.least} to ${balance.greatest}, mean ${balance.mean.toPrecision(4)}`,
      );
    return 0;
  }
  console.error(refusal?.error.message ?? "The upload was stopped. Nothing was stored.");
  for (const { sentence } of refusal?.problems ?? []) console.error(`  ${sentence}`);
  return 1;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
