import { readFileSync, writeFileSync } from "node:fs";
import { compileKernel, KERNELS, kernelModuleText } from "./kit/compile-kernel.ts";

/* `npm run kernels`: compiles each kernel's AssemblyScript source into the module beside it that is checked in. */

for (const { source, module } of KERNELS) {
  const wasm = await compileKernel(readFileSync(source, "utf8"));
  writeFileSync(module, kernelModuleText(source, wasm));
  console.log(`${module}: ${wasm.length} bytes of WebAssembly`);
}
