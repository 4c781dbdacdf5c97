import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";

/** Why a test is skipped if one of these returns null. */
export const NO_MOUNT = "This process may not mount: only root may.";

/**
 * Mounts a file system of this many bytes over `folder`. It is full once they are written.
 *
 * @returns a function that unmounts; null if this process may not mount.
 */
export function mountTmpfs(folder: string, byteCount: number): (() => void) | null {
  return mounted(folder, ["-t", "tmpfs", "-o", `size=${byteCount}`, "tmpfs", folder]);
}

/**
 * Takes write access to `folder` away. Permissions do not stop root, so root gets a mount.
 *
 * @returns a function that gives it back; null if a mount is needed and this process may not mount.
 */
export function makeReadOnly(folder: string): (() => void) | null {
  if (process.getuid?.() === 0)
    return mounted(folder, ["--bind", folder, folder], ["-o", "remount,ro,bind", folder]);
  chmodSync(folder, 0o555);
  return () => chmodSync(folder, 0o755);
}

function mounted(folder: string, ...mounts: readonly string[][]): (() => void) | null {
  try {
    for (const args of mounts) execFileSync("mount", args, { stdio: "ignore" });
  } catch {
    return null;
  }
  return () => execFileSync("umount", ["--lazy", folder], { stdio: "ignore" });
}
