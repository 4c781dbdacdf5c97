import type { LogFiles } from "#coordinator/core/ports/public-log.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";

/** What is durable of a log. Pass the same value to the next log to play a restart. */
export interface MemoryLogDisk {
  readonly files: Map<string, Bytes>;
  /** One at most. */
  readonly checkpoints: string[];
}

export const memoryLogDisk = (): MemoryLogDisk => ({ files: new Map(), checkpoints: [] });

export function memoryLogFiles(disk: MemoryLogDisk = memoryLogDisk()): LogFiles {
  return {
    read: async (path) => disk.files.get(path) ?? null,
    write: async (files) => {
      for (const { path, bytes } of files) disk.files.set(path, bytes);
    },
    checkpoint: async () => disk.checkpoints[0] ?? null,
    publish: async (note) => {
      disk.checkpoints[0] = note;
    },
    doubt: async () => null,
  };
}
