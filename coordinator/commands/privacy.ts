import { runCommand } from "./command.ts";
import { PRIVACY_HELP, readPrivacyOptions } from "./privacy/options.ts";
import { performPrivacy } from "./privacy/perform.ts";

process.exitCode = await runCommand(
  PRIVACY_HELP,
  () => readPrivacyOptions(process.argv.slice(2)),
  performPrivacy,
);
