import { type ByteSource, type NamedFile, tooLarge } from "#shared/archive/byte-source.ts";
import { err, ok } from "#shared/kernel/result.ts";

/** A person's file, read in parts. `read` rejects if the file was changed after it was chosen. */
export function blobSource(blob: Blob): ByteSource {
  return {
    byteCount: blob.size,
    read: async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()),
  };
}

/** A person's file. Its path starts with the folder that was chosen, if one was. */
export function namedFile(file: File): NamedFile {
  return {
    path: file.webkitRelativePath || file.name,
    read: async (byteCountMax) => {
      if (file.size > byteCountMax) return err(tooLarge(byteCountMax));
      try {
        return ok(new Uint8Array(await file.arrayBuffer()));
      } catch {
        // Browsers refuse to read a file that was saved, moved or deleted after it was chosen.
        return err("cannot be read; it was changed or moved after it was chosen, so choose it again");
      }
    },
  };
}
