import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { parseVerifierKey } from "#shared/tlog/note.ts";
import { NO_QUORUM, type Quorum } from "#shared/tlog/quorum.ts";
import { type InputReceiptError, verifyInputReceipt } from "#shared/transcript/input-receipt.ts";
import { tooFewSentence } from "../quorum-options.ts";

/**
 * What a participant's receipt proves, in lines for people. Needs no coordinator.
 *
 * @param text    Of the file.
 * @param key     The log's, as NAME+KEYID+KEY.
 * @param quorum  Witnesses that must have signed.
 * Errors: a sentence that says what is wrong, and what to do. Rule A72.
 */
export async function verifyReceiptFile(
  primitives: Primitives,
  text: string,
  key: string,
  quorum: Quorum = NO_QUORUM,
): Promise<Result<readonly string[], string>> {
  const parsed = await parseVerifierKey(primitives, key);
  if (!parsed.ok) return err(parsed.error.sentence);
  const verified = await verifyInputReceipt(primitives, text, parsed.value, quorum);
  if (!verified.ok) return err(whatIsWrong(verified.error));
  const { origin, logSize, entryIndex, at, roundId, sid, survivors, inputRoot, witnesses } = verified.value;
  const when = at === null ? "" : ` at ${new Date(at).toISOString()}`;
  return ok([
    `The receipt holds. A masked list with root ${inputRoot} was one of ${survivors} that were sealed${when} in session ${sid} of round ${roundId}.`,
    `That is entry ${entryIndex + 1} of the log ${origin}, under a checkpoint of ${logSize === 1 ? "1 entry" : `${logSize} entries`} that the log's key has signed.`,
    ...(witnesses.length === 0 ? [] : [`The same checkpoint is signed by ${witnesses.join(", ")}.`]),
    "It does not prove that the sum was computed from these lists, nor whose list it is. npm run verify checks what can be checked of the round.",
  ]);
}

function whatIsWrong(error: InputReceiptError): string {
  switch (error.type) {
    case "bad-receipt":
    case "bad-note":
    case "bad-checkpoint":
    case "bad-leaf":
      return `This is no receipt that holds. ${error.sentence}`;
    case "not-under-entry":
      return "The receipt does not hold: the list is not under the entry of the round.";
    case "not-included":
      return "The receipt does not hold: the entry of the round is not under the checkpoint.";
    case "other-origin":
      return `The receipt is of another log, ${error.origin}. Give that log's key.`;
    case "not-signed":
      return "The receipt does not hold: its checkpoint is not signed by this key. If the log has changed its key since, give the one of that time.";
    case "too-few-witnesses":
      return `The receipt does not hold: ${tooFewSentence(error)}`;
    default:
      return `The receipt does not hold (${error.type}).`;
  }
}
