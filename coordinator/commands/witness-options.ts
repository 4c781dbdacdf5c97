import type { Result } from "#shared/kernel/result.ts";
import { readWitnessAddresses, type WitnessAddress } from "../adapters/witness/witness-clients.ts";
import { environment } from "./command.ts";

export const WITNESS_OPTIONS_HELP = `  --witness NAME+KEYID+KEY@URL
                    ask this witness (npm run log -- witness) to sign the public log, so that a task may demand it; may
                    be repeated, or CHORUS_WITNESSES, separated by commas`;

/** Errors: a sentence that says what is wrong. */
export function witnessOptions(values: {
  readonly witness?: readonly string[] | undefined;
}): Result<readonly WitnessAddress[], string> {
  const named = (environment("CHORUS_WITNESSES") ?? "")
    .split(",")
    .map((text) => text.trim())
    .filter(Boolean);
  return readWitnessAddresses(values.witness ?? named);
}
