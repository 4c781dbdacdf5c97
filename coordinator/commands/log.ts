import { runCommand } from "./command.ts";
import { LOG_HELP, readLogOptions } from "./log/options.ts";
import { performLog } from "./log/perform.ts";

process.exitCode = await runCommand(LOG_HELP, () => readLogOptions(process.argv.slice(2)), performLog);
