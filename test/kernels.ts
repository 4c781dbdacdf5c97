import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runCommand } from "#coordinator/commands/command.ts";
import { compileKernel, KERNELS, kernelModuleText } from "./kit/compile-kernel.ts";

const HELP = `npm run kernels

Compiles each kernel's AssemblyScript source into the checked-in module beside it.`;

process.exitCode = await runCommand(HELP, readFlags, compileAll);

function readFlags(): object | string {
  return parseArgs({ options: { help: { type: "boolean" } } }).values.help === true ? "help" : {};
}

async function compileAll(): Promise<number> {
  for (const { source, module } of KERNELS) {
    const wasm = await compileKernel(readFileSync(source, "utf8"));
    writeFileSync(module, kernelModuleText(source, wasm));
    console.log(`${module}: ${wasm.length} bytes of WebAssembly`);
  }
  return 0;
}
