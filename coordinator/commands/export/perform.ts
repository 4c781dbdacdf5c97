import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { ExportOptions } from "./options.ts";

/** @returns The exit code. */
export async function performExport({ runId, format, out, api }: ExportOptions): Promise<number> {
  const { fileName, bytes } = await api.download(`/runs/${runId}/exports/${format}`);
  // The name comes from a server, so it must not leave this folder.
  const path = out ?? basename(fileName);
  // An older export is not lost to a typing error.
  await writeFile(path, bytes, { flag: out === null ? "wx" : "w" });
  console.log(`Wrote ${path}, ${bytes.length.toLocaleString("en")} bytes.`);
  return 0;
}
