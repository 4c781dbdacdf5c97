/*
 * The hot loop of ring-block.ts: adds the words at INPUT to those at 0, or subtracts them, modulo 2^32.
 *
 * AssemblyScript; `npm run kernels` compiles it into ring-block-wasm.ts. Each turn takes 64 bytes, so the last one may
 * run past `byteCount`. Both regions are multiples of 64 bytes long, and nobody reads past the count.
 */

// `RING_BLOCK_BYTES` of ring-block.ts.
const INPUT: usize = 256 * 1024;

export function add(byteCount: usize): void {
  for (let at: usize = 0; at < byteCount; at += 64) {
    v128.store(at, i32x4.add(v128.load(at), v128.load(at, INPUT)));
    v128.store(at, i32x4.add(v128.load(at, 16), v128.load(at, INPUT + 16)), 16);
    v128.store(at, i32x4.add(v128.load(at, 32), v128.load(at, INPUT + 32)), 32);
    v128.store(at, i32x4.add(v128.load(at, 48), v128.load(at, INPUT + 48)), 48);
  }
}

export function subtract(byteCount: usize): void {
  for (let at: usize = 0; at < byteCount; at += 64) {
    v128.store(at, i32x4.sub(v128.load(at), v128.load(at, INPUT)));
    v128.store(at, i32x4.sub(v128.load(at, 16), v128.load(at, INPUT + 16)), 16);
    v128.store(at, i32x4.sub(v128.load(at, 32), v128.load(at, INPUT + 32)), 32);
    v128.store(at, i32x4.sub(v128.load(at, 48), v128.load(at, INPUT + 48)), 48);
  }
}
