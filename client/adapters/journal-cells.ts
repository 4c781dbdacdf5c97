import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import type { CellChange, Cells } from "../core/memory.ts";
import { MapCells } from "./map-cells.ts";

/*
 * Cells in a file. Each line is a JSON array of changes, appended and synced before the changes count. A line that a
 * crash cut short was never acknowledged, so it is dropped. One process at a time (state-folder.ts).
 */

const lineSchema = z.array(z.strictObject({ key: z.string(), after: z.string() }));

export interface JournalCells extends Cells {
  close(): Promise<void>;
}

function adoptLine(cells: MapCells, line: string): boolean {
  try {
    cells.adopt(lineSchema.parse(JSON.parse(line)));
    return true;
  } catch {
    return false;
  }
}

/** @throws if the folder cannot be written, or if the journal is damaged before its last line. */
export async function openJournalCells(folder: string): Promise<JournalCells> {
  const path = join(folder, "memory.jsonl");
  const file = await open(path, "a+", 0o600);
  const text = (await file.readFile()).toString("utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await file.truncate(Buffer.byteLength(whole));
  await file.sync();
  await syncFolder(dirname(path));
  const cells = new MapCells();
  for (const [index, line] of whole.split("\n").entries()) {
    if (line === "" || adoptLine(cells, line)) continue;
    await file.close();
    throw new Error(
      `line ${index + 1} of ${path} is damaged, and it holds what this device must not forget; restore it from a backup`,
    );
  }

  const queue = new SerialQueue();
  let byteCount = Buffer.byteLength(whole);
  let isDamaged = false;
  const write = async (changes: readonly CellChange[]): Promise<boolean> => {
    if (isDamaged) throw new Error(`${path} could not be mended after a failed write`);
    if (!cells.fits(changes)) return false;
    const line = Buffer.from(`${JSON.stringify(changes.map(({ key, after }) => ({ key, after })))}\n`);
    try {
      await file.appendFile(line);
      await file.datasync();
    } catch (fault) {
      // A full disk may take half a line; the next line appended to it would make the journal unreadable.
      await file.truncate(byteCount).catch(() => {
        isDamaged = true;
      });
      throw fault;
    }
    byteCount += line.length;
    cells.adopt(changes);
    return true;
  };
  return {
    get: (key) => cells.get(key),
    swap: (changes) => queue.run(() => write(changes)),
    close: async () => {
      await queue.settled();
      await file.close();
    },
  };
}
