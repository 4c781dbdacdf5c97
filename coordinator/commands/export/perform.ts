import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { isErrorCode } from "../../adapters/system-errors.ts";
import type { ExportOptions } from "./options.ts";

/** @returns The exit code. */
export async function performExport({ path: from, out, api }: ExportOptions): Promise<number> {
  const { fileName, bytes } = await api.download(from);
  // The name comes from a server, so it must not leave this folder.
  const path = out ?? basename(fileName);
  // Only a file that was named may be replaced.
  await writeFile(path, bytes, { flag: out === null ? "wx" : "w" }).catch((error: unknown) => {
    if (!isErrorCode(error, "EEXIST")) throw error;
    throw new Error(`${path} is there already. Move it, or name a file with --out, which replaces one.`);
  });
  console.log(`Wrote ${path}, ${bytes.length.toLocaleString("en")} bytes.`);
  return 0;
}
