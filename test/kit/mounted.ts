import { execFileSync } from "node:child_process";

/**
 * Mounts over `folder`: `tmpfs` of so many bytes, which is full when that is written, or `read-only`, the folder itself
 * as nobody may write to it (permissions do not stop root).
 *
 * @returns Unmounts. Null, with a word on the console, where this process may not mount (it is not root).
 */
export function mountOver(
  folder: string,
  how: { readonly tmpfs: number } | "read-only",
): (() => void) | null {
  try {
    if (how === "read-only") {
      mount("--bind", folder, folder);
      mount("-o", "remount,ro,bind", folder);
    } else {
      mount("-t", "tmpfs", "-o", `size=${how.tmpfs}`, "tmpfs", folder);
    }
  } catch {
    console.warn(
      `SKIPPED: this needs a mount on ${folder}, and this process may not make one (it is not root).`,
    );
    return null;
  }
  return () => execFileSync("umount", ["--lazy", folder], { stdio: "ignore" });
}

function mount(...args: string[]): void {
  execFileSync("mount", args, { stdio: "ignore" });
}
