import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type ByteSource, type NamedFile, tooLarge } from "#shared/archive/byte-source.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";

/** All files in a folder and the folders in it, in the order of their paths. Follows links to files, not to folders. */
export async function listFolder(folder: string): Promise<NamedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) files.push(path);
  }
  return files.sort().map((path) => ({
    path: relative(folder, path).replaceAll(sep, "/"),
    read: (byteCountMax) => readWhole(path, byteCountMax),
  }));
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}

async function readWhole(path: string, byteCountMax: number): Promise<Result<Uint8Array, string>> {
  let file: FileHandle | null = null;
  try {
    file = await open(path);
    if ((await file.stat()).size > byteCountMax) return err(tooLarge(byteCountMax));
    return ok(await file.readFile());
  } catch (fault) {
    // No permission, or a damaged disk: the system's own message says which.
    const reason = fault instanceof Error ? fault.message : String(fault);
    return err(`cannot be read: ${reason.slice(0, 200)}`);
  } finally {
    await file?.close();
  }
}

/** A file that is read in parts, until `close`. */
export async function openByteSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const file = await open(path);
  const { size } = await file.stat();
  return {
    byteCount: size,
    close: () => file.close(),
    read: async (from, to) => {
      const bytes = new Uint8Array(to - from);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
        // Somebody has cut the file short meanwhile.
        if (bytesRead === 0) throw new Error("the file has become shorter");
        filled += bytesRead;
      }
      return bytes;
    },
  };
}
