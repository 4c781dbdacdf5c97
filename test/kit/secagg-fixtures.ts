import { createCipheriv, createHash } from "node:crypto";
import { present } from "#shared/kernel/assert.ts";
import type { RandomBytes } from "#shared/kernel/ports.ts";
import type { HashHex, TaskSlug } from "#shared/protocol/ids.ts";
import type { OwnCode } from "#shared/protocol/own-code.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import type { TrainingPlan } from "#shared/task/training-plan.ts";

/** What a coordinator in a test says that it runs. */
export const TEST_CODE: OwnCode = {
  hash: "c0".repeat(32) as HashHex,
  shellHash: "5e".repeat(32) as HashHex,
  commit: "7e".repeat(20),
};

/** Bytes that look random and depend only on the seed. */
export function seededRandom(seed: string): RandomBytes {
  const key = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return (byteCount) => new Uint8Array(cipher.update(Buffer.alloc(byteCount)));
}

export function randomWords(seed: string, count: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(seededRandom(seed)(4 * count).buffer);
}

export const TEST_TRAINING: TrainingPlan = {
  epochs: 1,
  batchSize: 32,
  optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0 },
  proximalMu: 0,
};

/** A config that a cohort of `count` devices may run under. */
export function testConfig({
  vectorLength = 64,
  ...overrides
}: Partial<AgreedConfig> & { readonly vectorLength?: number } = {}): AgreedConfig {
  return {
    projectId: "default",
    task: "digits" as TaskSlug,
    taskVersion: 1,
    taskHash: "11".repeat(32) as HashHex,
    cohortSizeMin: 3,
    cohortSizeMax: 255,
    securityModel: "active",
    graph: "complete",
    thresholdFormula: "chorus/1",
    vectors: { train: { vectorLength, layoutHash: "22".repeat(32) as HashHex } },
    ring: 32,
    clipNormL2: 1,
    weightCap: 1_000,
    dp: null,
    codeVersion: "test",
    issuerKey: "00".repeat(32) as HashHex,
    logKey: "00".repeat(32) as HashHex,
    ...overrides,
  };
}

/** Sum mod 2^32, in exact integers. */
export function plainSum(vectors: readonly Uint32Array[]): Uint32Array {
  const length = present(vectors[0], "a vector").length;
  return Uint32Array.from({ length }, (_, index) => {
    let total = 0;
    for (const vector of vectors) total += vector[index] as number;
    return total % 2 ** 32;
  });
}
