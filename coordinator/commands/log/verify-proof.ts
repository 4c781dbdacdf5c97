import { utf8ToText } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { openCheckpoint } from "#shared/tlog/checkpoint.ts";
import { isIncluded } from "#shared/tlog/log-proof.ts";
import { formatVerifierKey, type VerifiedSignature, type VerifierKey } from "#shared/tlog/note.ts";
import { type Quorum, tooFewWitnesses } from "#shared/tlog/quorum.ts";
import { parseReceipt } from "#shared/tlog/receipt.ts";
import { tooFewSentence } from "../quorum-options.ts";
import { keyAfter } from "./key-after.ts";

/**
 * Checks a proof whose extra data is the entry itself, as `npm run log -- prove` prints it. If the entry hands over from the
 * given key to the next, the checkpoint may be signed by that one.
 *
 * @param quorum  Witnesses that must have signed.
 */
export async function verifyProof(text: string, key: VerifierKey, quorum: Quorum): Promise<number> {
  const wrong = (sentence: string) => {
    console.error(`WRONG: ${sentence}`);
    return 1;
  };
  const receipt = parseReceipt(text);
  if (!receipt.ok) return wrong(receipt.error.sentence);
  const { extra, index, path, checkpoint: note } = receipt.value;
  const next = extra === null ? null : await keyAfter(extra, key);
  let opened = await openCheckpoint(primitives, note, key, quorum.witnesses);
  if (!opened.ok && next !== null) opened = await openCheckpoint(primitives, note, next, quorum.witnesses);
  if (!opened.ok) return wrong(`the checkpoint does not hold under this key (${opened.error.type}).`);
  const { checkpoint, cosigned } = opened.value;
  if (extra === null || !(await isIncluded(primitives, { leaf: extra, index, path }, checkpoint)))
    return wrong(`the entry is not entry ${index} of the log ${checkpoint.origin}.`);
  const tooFew = tooFewWitnesses(quorum, cosigned);
  if (tooFew !== null) return wrong(tooFewSentence(tooFew));
  console.log(utf8ToText(extra));
  if (next !== null) console.log(`The log's key hands over to ${formatVerifierKey(next)}.`);
  console.log(
    `It is entry ${index} of the ${checkpoint.size} of ${checkpoint.origin}, whose key has signed them${signedToo(cosigned)}.`,
  );
  return 0;
}

/** ", and so have w1.example, w2.example" */
function signedToo(cosigned: readonly VerifiedSignature[]): string {
  return cosigned.length === 0 ? "" : `, and so have ${cosigned.map(({ key: { name } }) => name).join(", ")}`;
}
