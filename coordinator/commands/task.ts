import { runCommand } from "./command.ts";
import { readTaskOptions, TASK_HELP } from "./task/options.ts";
import { performTask } from "./task/perform.ts";

process.exitCode = await runCommand(TASK_HELP, () => readTaskOptions(process.argv.slice(2)), performTask);
