import { err, ok, type Result } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import { parseVerifierKey, SIGNATURE_TYPES, type VerifierKey } from "#shared/tlog/note.ts";
import type { Quorum, TooFewWitnesses } from "#shared/tlog/quorum.ts";

export const QUORUM_HELP = `  --witness NAME+KEYID+KEY
                    require the signature of this witness under the log's checkpoint; may be repeated
  --witnesses-needed K
                    of the given witnesses, this many are enough; default all of them`;

/** For `parseArgs`. */
export const QUORUM_FLAGS = {
  witness: { type: "string", multiple: true },
  "witnesses-needed": { type: "string" },
} as const;

export interface QuorumFlags {
  readonly keys: readonly string[];
  readonly needed: number;
}

/** Errors: a sentence that says which option is wrong. */
export function quorumFlags(values: {
  readonly witness?: readonly string[] | undefined;
  readonly "witnesses-needed"?: string | undefined;
}): Result<QuorumFlags, string> {
  const keys = [...new Set(values.witness ?? [])];
  const text = values["witnesses-needed"] ?? String(keys.length);
  const needed = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (keys.length === 0 && values["witnesses-needed"] !== undefined)
    return err("--witnesses-needed says how many of the witnesses: name them with --witness.");
  if (keys.length > 0 && !(needed >= 1 && needed <= keys.length))
    return err(`--witnesses-needed is a whole number from 1 to ${keys.length}, the number of --witness.`);
  return ok({ keys, needed });
}

/** Errors: a sentence that says which key is none of a witness. */
export async function givenQuorum({ keys, needed }: QuorumFlags): Promise<Result<Quorum, string>> {
  const witnesses: VerifierKey[] = [];
  for (const text of keys) {
    const key = await parseVerifierKey(primitives, text);
    if (!key.ok) return err(`--witness ${text}: ${key.error.sentence}`);
    if (key.value.type !== SIGNATURE_TYPES.cosignature)
      return err(`--witness ${text} is the key of a log. Give the one that the witness printed.`);
    witnesses.push(key.value);
  }
  return ok({ witnesses, needed });
}

/** "1 of the 2 witnesses that must have signed the log's checkpoint has." */
export function tooFewSentence({ have, need }: TooFewWitnesses): string {
  return `${have} of the ${need} witnesses that must have signed the log's checkpoint ${have === 1 ? "has" : "have"}.`;
}
