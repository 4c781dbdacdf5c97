import { readFileSync, writeFileSync } from "node:fs";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import { inputRoot } from "#shared/secagg/input.ts";

/*
 * Measures the peak growth of this process's resident memory in the heaviest step of one side: a client makes its input
 * and masks it, or a coordinator removes as many masks from a sum in two workers. A first pass over a short vector has
 * loaded everything already. Arguments: client or server, masks, coordinates.
 */

const [side = "", maskCount = "", coordinates = ""] = process.argv.slice(2);
const masks = Array.from(
  { length: Number(maskCount) },
  (_, index) => ({ key: randomBytes(32), sign: index % 2 === 0 ? 1 : -1 }) as const,
);
const folder = openFolder({ workerCount: 2 });

async function step(length: number): Promise<void> {
  const vector = new Uint32Array(length).fill(1);
  if (side === "client") {
    await addMasks(primitives, vector, masks);
    await inputRoot(primitives, wordsToBytes(vector));
  } else {
    await folder.fold({ length, inputs: [], initial: vector, masks });
  }
}

/** Resident bytes: now, or the maximum since `forget`. */
function resident(field: "VmRSS" | "VmHWM"): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(
    readFileSync("/proc/self/status", "utf8"),
  )?.[1];
  return Number(kibibytes) * 1_024;
}

/** Resets Linux's maximum. */
function forget(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}

await step(100_000);
forget();
const before = resident("VmRSS");
await step(Number(coordinates));
console.log(resident("VmHWM") - before);
await folder.close();
