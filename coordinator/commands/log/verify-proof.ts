import { utf8ToText } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { openCheckpoint } from "#shared/tlog/checkpoint.ts";
import { isIncluded } from "#shared/tlog/log-proof.ts";
import type { VerifierKey } from "#shared/tlog/note.ts";
import { parseReceipt } from "#shared/tlog/receipt.ts";

/** Checks a proof whose extra data is the entry itself, as `npm run log -- prove` prints it. */
export async function verifyProof(text: string, key: VerifierKey): Promise<number> {
  const wrong = (sentence: string) => {
    console.error(`WRONG: ${sentence}`);
    return 1;
  };
  const receipt = parseReceipt(text);
  if (!receipt.ok) return wrong(receipt.error.sentence);
  const { extra, index, path, checkpoint: note } = receipt.value;
  const opened = await openCheckpoint(primitives, note, key);
  if (!opened.ok) return wrong(`the checkpoint does not hold under this key (${opened.error.type}).`);
  const { checkpoint } = opened.value;
  if (extra === null || !(await isIncluded(primitives, { leaf: extra, index, path }, checkpoint)))
    return wrong(`the entry is not entry ${index} of the log ${checkpoint.origin}.`);
  console.log(utf8ToText(extra));
  console.log(
    `It is entry ${index} of the ${checkpoint.size} of ${checkpoint.origin}, whose key has signed them.`,
  );
  return 0;
}
