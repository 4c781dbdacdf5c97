import { readFileSync, writeFileSync } from "node:fs";
import { compileKernel, KERNELS, kernelModuleText } from "./kit/compile-kernel.ts";

/* `npm run kernels`: compiles each kernel's AssemblyScript source into the checked-in module beside it. */

for (const { source, module } of KERNELS) {
  const wasm = await compileKernel(readFileSync(source, "utf8"));
  writeFileSync(module, kernelModuleText(source, wasm));
  console.log(`${module}: ${wasm.length} bytes of WebAssembly`);
}
