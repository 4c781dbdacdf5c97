import { type ByteSource, sourceOf, tooLarge } from "../archive/byte-source.ts";
import { isZip } from "../archive/zip.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { Features } from "../task/features.ts";
import { FILE_BYTES_MAX, isGzip, openArchive, refusedContent, unpacked } from "./read-set.ts";
import { type ImportRefusal, refuseImport } from "./report.ts";
import { layOut } from "./set-layout.ts";
import { quoted } from "./words.ts";

/**
 * The table in a file: the file itself, what is compressed in it, or the table of a zip archive.
 *
 * @param name  The file's, for sentences.
 * @param set   The path of the table, if the archive holds several.
 * Throws what the source throws.
 */
export async function openTable(
  name: string,
  source: ByteSource,
  features: Features,
  set?: string,
): Promise<Result<ByteSource, ImportRefusal>> {
  const start = await source.read(0, Math.min(4, source.byteCount));
  if (isGzip(start)) {
    const bytes =
      source.byteCount > FILE_BYTES_MAX
        ? err(tooLarge(FILE_BYTES_MAX))
        : unpacked(await source.read(0, source.byteCount));
    return bytes.ok
      ? ok(sourceOf(bytes.value))
      : refuseImport("unreadable", `${quoted(name)} ${bytes.error}.`);
  }
  if (!isZip(start)) return ok(source);
  const files = await openArchive(name, source);
  if (!files.ok) return files;
  const { content } = layOut(files.value, features, { set });
  if (content.kind === "idx" || content.kind === "classes") {
    return refuseImport(
      "not-text",
      `${quoted(name)} holds pictures, not a CSV file. Choose it under “Add picture files”.`,
    );
  }
  if (content.kind !== "table") return refusedContent(name, content, features);
  const bytes = await content.file.read(FILE_BYTES_MAX);
  const table = bytes.ok ? unpacked(bytes.value) : bytes;
  return table.ok
    ? ok(sourceOf(table.value))
    : refuseImport("unreadable", `${quoted(content.file.path)} ${table.error}.`);
}
