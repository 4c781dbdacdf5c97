import { basename } from "node:path";
import asc from "assemblyscript/asc";
import { bytesToHex } from "#shared/kernel/bytes.ts";

/** Kernels in AssemblyScript, and the modules that contain their WebAssembly; paths from the repository's root. */
export const KERNELS = [
  { source: "shared/crypto/ring-block.as.ts", module: "shared/crypto/ring-block-wasm.ts" },
] as const;

/** The WebAssembly of one source; its memory is 8 pages of 64 KiB and never grows. @throws the compiler's message. */
export async function compileKernel(source: string): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const options = ["--optimizeLevel", "3", "--runtime", "stub", "--enable", "simd", "--noAssert"];
  const memory = ["--initialMemory", "8", "--maximumMemory", "8"];
  const { error, stderr } = await asc.main(["kernel.ts", ...options, ...memory, "--outFile", "kernel.wasm"], {
    readFile: (name) => (name === "kernel.ts" ? source : null),
    writeFile: (name, contents) => {
      if (name === "kernel.wasm" && typeof contents !== "string") wasm = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`);
  return wasm;
}

/** The TypeScript module around it, so that no file has to be fetched. */
export function kernelModuleText(source: string, wasm: Uint8Array): string {
  const lines = bytesToHex(wasm).match(/.{1,100}/g) ?? [];
  return [
    `/* Made from ${basename(source)} by \`npm run kernels\`; a test compiles it again and compares. */`,
    "export const KERNEL_HEX =",
    `${lines.map((line) => `  "${line}"`).join(" +\n")};`,
    "",
  ].join("\n");
}
