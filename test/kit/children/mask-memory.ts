import { readFileSync, writeFileSync } from "node:fs";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { primitives, randomBytes } from "#coordinator/adapters/system.ts";
import { wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { inputRoot } from "#shared/secagg/input.ts";

/*
 * By how many bytes the resident memory of this process grows at most while one side does its heaviest step: a client
 * makes its input and masks it with as many masks, a coordinator takes as many masks off a sum in two workers. A first
 * pass over a short vector has loaded everything before. Arguments: client or server, masks, coordinates.
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

/** Bytes resident: now, or the most since `forget`. */
function resident(field: "VmRSS" | "VmHWM"): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(
    readFileSync("/proc/self/status", "utf8"),
  )?.[1];
  return Number(kibibytes) * 1_024;
}

/** Linux counts the most from here on. */
function forget(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}

await step(100_000);
forget();
const before = resident("VmRSS");
await step(Number(coordinates));
console.log(resident("VmHWM") - before);
await folder.close();
