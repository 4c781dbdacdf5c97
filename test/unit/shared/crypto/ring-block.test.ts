import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import {
  javascriptRingBlock,
  RING_BLOCK_BYTES,
  type RingBlock,
  webAssemblyRingBlock,
} from "#shared/crypto/ring-block.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { fakePrimitives } from "#test/kit/fakes/fake-primitives.ts";
import { compileKernel, KERNELS, kernelModuleText } from "../../../kit/compile-kernel.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test.each(KERNELS)("$module is the compiled form of $source", async ({ source, module }) => {
  const wasm = await compileKernel(readFileSync(source, "utf8"));
  expect(readFileSync(module, "utf8")).toBe(kernelModuleText(source, wasm));
});

interface Turn {
  readonly sign: 1 | -1;
  readonly seed: number;
}

/** Bytes of a summand, using all 32 bits of each word. */
function summand(seed: number, byteCount: number): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  for (let i = 0; i < byteCount; i++) bytes[i] = Math.imul(i + 1, seed) >>> 13;
  return bytes;
}

/** The sum's bytes after the turns, starting from a block full of `fill`. */
function summed(block: RingBlock, turns: readonly Turn[], wordCount: number, fill: number): number[] {
  block.sum.fill(fill);
  block.input.fill(fill);
  block.sum.set(new Uint32Array(summand(0x9e3779b1, 4 * wordCount).buffer));
  for (const { sign, seed } of turns) {
    block.input.set(summand(seed, 4 * wordCount));
    if (sign === 1) block.add(4 * wordCount);
    else block.subtract(4 * wordCount);
  }
  return [...block.sum.subarray(0, wordCount)];
}

test("WebAssembly and JavaScript add and subtract alike, modulo 2^32, at any length", () => {
  const fast = present(webAssemblyRingBlock(), "this platform has WebAssembly with SIMD");
  const plain = javascriptRingBlock();
  const turns = fc.array(
    fc.record({ sign: fc.constantFrom(1 as const, -1 as const), seed: fc.integer({ min: 1 }) }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), turns, fc.nat(2 ** 32 - 1), (wordCount, list, fill) => {
      const start = new Uint32Array(summand(0x9e3779b1, 4 * wordCount).buffer);
      const expected = [...start].map((word, index) =>
        list.reduce((sum, { sign, seed }) => {
          const words = new Uint32Array(summand(seed, 4 * wordCount).buffer);
          return (sum + sign * (words[index] as number)) >>> 0;
        }, word),
      );
      expect(summed(fast, list, wordCount, fill)).toEqual(expected);
      expect(summed(plain, list, wordCount, 255 - (fill % 256))).toEqual(expected);
    }),
  );
});

test("a whole block is added up to its last word", () => {
  const blocks = [present(webAssemblyRingBlock(), "WebAssembly"), javascriptRingBlock()];
  for (const block of blocks) {
    expect(block.sum.byteLength).toBe(RING_BLOCK_BYTES);
    expect(block.input.byteLength).toBe(RING_BLOCK_BYTES);
    block.sum.fill(0xfffffffe);
    block.input.fill(0xff);
    block.subtract(RING_BLOCK_BYTES);
    block.subtract(RING_BLOCK_BYTES);
    expect(block.sum.every((word) => word === 0)).toBe(true);
    expect(block.input.every((byte) => byte === 0xff)).toBe(true);
  }
});

test("a block that is returned holds nothing of its last use", async () => {
  const { takeRingBlock, returnRingBlock } = await import("#shared/crypto/ring-block.ts");
  const block = takeRingBlock();
  block.sum.fill(7);
  block.input.fill(7);
  returnRingBlock(block);
  const again = takeRingBlock();
  expect(again).toBe(block);
  expect(again.sum.every((word) => word === 0) && again.input.every((byte) => byte === 0)).toBe(true);
});

test("a key stream that fails leaves no mask in a block", async () => {
  const { takeRingBlock, returnRingBlock } = await import("#shared/crypto/ring-block.ts");
  const { addMasks } = await import("#shared/crypto/mask-stream.ts");
  const block = takeRingBlock();
  returnRingBlock(block);
  let asked = 0;
  const failing: Primitives = {
    ...fakePrimitives(),
    name: "webcrypto",
    aes256CtrKeystream: async (_key, _firstBlock, byteCount) => {
      // They answer in this order: the third is still in progress when the second fails.
      const turns = ++asked;
      for (let turn = 1; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (turns === 2) throw new Error("no memory");
      return new Uint8Array(byteCount).fill(7);
    },
  };
  const masks = [1, 2, 3].map((byte) => ({ key: new Uint8Array(32).fill(byte), sign: 1 }) as const);
  await expect(addMasks(failing, new Uint32Array(100), masks)).rejects.toThrow("no memory");
  expect(block.sum.every((word) => word === 0) && block.input.every((byte) => byte === 0)).toBe(true);
  // It was returned only once nobody wrote to it any more.
  expect(takeRingBlock()).toBe(block);
});

test.each([
  ["without WebAssembly", undefined],
  [
    "if the page's policy forbids to compile",
    {
      ...WebAssembly,
      Module: class {
        constructor() {
          throw new WebAssembly.CompileError("refused by Content Security Policy");
        }
      },
    },
  ],
])("%s the masks are added in JavaScript, with the same words", async (_, replacement) => {
  const { nodePrimitives } = await import("#shared/crypto/primitives-node.ts");
  const primitives = nodePrimitives(await import("node:crypto"), Buffer);
  const masks = [1, -1, 1].map((sign, i) => ({ key: new Uint8Array(32).fill(i), sign: sign as 1 | -1 }));
  const sumOf = async () => {
    vi.resetModules();
    const [{ addMasks }, ring] = await Promise.all([
      import("#shared/crypto/mask-stream.ts"),
      import("#shared/crypto/ring-block.ts"),
    ]);
    const target = new Uint32Array(40_001).fill(0xabcdef01);
    await addMasks(primitives, target, masks, 3);
    return { target, isFast: ring.webAssemblyRingBlock() !== null };
  };
  const fast = await sumOf();
  vi.stubGlobal("WebAssembly", replacement);
  const plain = await sumOf();
  expect([fast.isFast, plain.isFast]).toEqual([true, false]);
  expect(plain.target).toEqual(fast.target);
});
