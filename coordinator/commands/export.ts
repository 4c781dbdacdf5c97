import { runCommand } from "./command.ts";
import { EXPORT_HELP, readExportOptions } from "./export/options.ts";
import { performExport } from "./export/perform.ts";

process.exitCode = await runCommand(
  EXPORT_HELP,
  () => readExportOptions(process.argv.slice(2)),
  performExport,
);
