import { createHash } from "node:crypto";
import type { Digest } from "#shared/transcript/published-sums.ts";

/** SHA-256 over pieces as they arrive. */
export function sha256Digest(): Digest {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}
