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
    await folder.fold({ length, paths: [], initial: vector, masks });
  }
}

await step(1_000);
const before = process.resourceUsage().maxRSS;
await step(Number(coordinates));
// In kibibytes.
console.log((process.resourceUsage().maxRSS - before) * 1_024);
await folder.close();
