import { open } from "node:fs/promises";
import { syncFolder } from "#shared/node/durable-files.ts";

/**
 * Makes a file of one line that only this user reads.
 *
 * @returns The line; null where the file exists, so that two processes that start at once agree on the first one's.
 */
export async function createSecretFile(path: string, folder: string, text: string): Promise<string | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return null;
    throw error;
  }
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(folder);
  return text;
}
