import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const CHILD = fileURLToPath(new URL("../../kit/children/mask-memory.ts", import.meta.url));

/** Peak growth of a fresh process's resident memory, in bytes; see the child. */
export async function peakGrowth(
  side: "client" | "server",
  maskCount: number,
  coordinates: number,
): Promise<number | null> {
  // Only Linux reports the peak of resident memory from a chosen moment on.
  if (process.platform !== "linux") return null;
  const args = [CHILD, side, String(maskCount), String(coordinates)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const growth = Number(stdout);
  if (!Number.isFinite(growth)) throw new Error(`no figure: ${stdout}`);
  return growth;
}
