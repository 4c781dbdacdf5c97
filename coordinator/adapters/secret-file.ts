import { existsSync } from "node:fs";
import { link, open, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { syncFolder } from "#shared/node/durable-files.ts";
import { isErrorCode } from "./system-errors.ts";

/**
 * Creates a file with one line that only this user can read. After a crash the file has the whole line, or there is
 * none.
 *
 * @returns The line; null if the file exists, so that two processes starting at once agree on one.
 *   Without hard links only the folder's lock ensures that. A kill may leave a partial copy, as private as the file;
 *   `removePartials` removes it.
 */
export async function createSecretFile(path: string, folder: string, text: string): Promise<string | null> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    // An earlier process with this id may have been killed.
    await rm(partial, { force: true });
    const file = await open(partial, "wx", 0o600);
    try {
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!(await place(partial, path))) return null;
  } finally {
    await rm(partial, { force: true });
  }
  await syncFolder(folder);
  return text;
}

/** Removes the copies that killed processes left. Needs the folder's lock: a living process may be writing one. */
export async function removePartials(path: string, folder: string): Promise<void> {
  const start = `${basename(path)}.`;
  for (const name of await readdir(folder)) {
    if (name.startsWith(start) && /^\d+\.partial$/.test(name.slice(start.length)))
      await rm(join(folder, name), { force: true });
  }
}

/** Gives the file its name and replaces no other. @returns False if there is one. */
async function place(partial: string, path: string): Promise<boolean> {
  try {
    await link(partial, path);
  } catch (error) {
    if (isErrorCode(error, "EEXIST")) return false;
    // A file system without hard links, such as exFAT or some containers' mounts.
    if (!isErrorCode(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS")) throw error;
    if (existsSync(path)) return false;
    await rename(partial, path);
  }
  return true;
}
