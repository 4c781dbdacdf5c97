import { runCommand } from "./command.ts";
import { LOG_HELP, readLogOptions } from "./log/options.ts";
import { performLog } from "./log/perform.ts";
import { readWitnessOptions, runWitness, WITNESS_HELP } from "./log/witness.ts";

const args = process.argv.slice(2);
process.exitCode =
  args[0] === "witness"
    ? await runCommand(WITNESS_HELP, () => readWitnessOptions(args.slice(1)), runWitness)
    : await runCommand(LOG_HELP, () => readLogOptions(args), performLog);
