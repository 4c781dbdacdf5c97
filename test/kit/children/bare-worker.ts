import { createCipheriv } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { present } from "#shared/kernel/assert.ts";
import { release } from "#shared/kernel/release.ts";
import type { BareTask } from "../bare-threads.ts";

/* A thread of `bare-threads.ts`. */

const port = present(parentPort, "this file runs as a worker");
port.on("message", (task: BareTask) => {
  port.postMessage(task.type === "cipher" ? cipherAlone(task.byteCount) : prototype(task));
});

/** AES-256-CTR over zeros and nothing else: one cipher, blocks that stay in the cache, memory returned at once. */
function cipherAlone(byteCount: number): Uint32Array {
  const zeros = new Uint8Array(128 * 1024);
  const cipher = createCipheriv("aes-256-ctr", new Uint8Array(32), new Uint8Array(16));
  for (let done = 0; done < byteCount; done += zeros.length) {
    release(cipher.update(zeros));
  }
  return new Uint32Array(0);
}

/** What one writes first: a cipher for each mask and block of 256 KiB, words added one by one. */
function prototype({ length, masks }: Extract<BareTask, { type: "prototype" }>): Uint32Array {
  const blockWords = 64 * 1024;
  const zeros = new Uint8Array(4 * blockWords);
  const sum = new Uint32Array(length);
  for (let start = 0; start < length; start += blockWords) {
    const block = sum.subarray(start, start + blockWords);
    const counter = Buffer.alloc(16);
    counter.writeUInt32BE(start / 4, 12);
    for (const { key, sign } of masks) {
      const cipher = createCipheriv("aes-256-ctr", key, counter);
      const bytes = cipher.update(zeros.subarray(0, block.byteLength));
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, block.length);
      if (sign === 1) for (let i = 0; i < block.length; i++) block[i] = (block[i] ?? 0) + (words[i] ?? 0);
      else for (let i = 0; i < block.length; i++) block[i] = (block[i] ?? 0) - (words[i] ?? 0);
    }
  }
  return sum;
}
