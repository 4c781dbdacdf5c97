import { expect, test } from "vitest";
import { verifyReceiptFile } from "#coordinator/commands/log/verify-receipt.ts";
import { primitives } from "#shared/node/system.ts";
import { cosignNote, formatSignatureLine, parseNote } from "#shared/tlog/note.ts";
import { makeInputReceipt } from "#shared/transcript/input-receipt.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { sealInputs } from "#test/kit/worlds/sealed-inputs.ts";
import { TestWitness } from "#test/kit/worlds/witnesses.ts";

const session = { roundId: "cd".repeat(16), sid: "5d".repeat(32) };

async function receiptOf(log: MemoryLog) {
  const { entry, own } = await sealInputs(primitives, log, session, { count: 4, ownIndex: 2 });
  const known = { origin: log.origin, key: log.publicKey, seen: null };
  const made = await makeInputReceipt(primitives, await log.proof(null, [entry]), known, own);
  if (!made.ok) throw new Error(made.error.type);
  return made.value;
}

test("[A72] the command says what a receipt proves, and needs no coordinator", async () => {
  const { text, logKey } = await receiptOf(new MemoryLog(primitives));
  const verified = await verifyReceiptFile(primitives, text, logKey);
  if (!verified.ok) throw new Error(verified.error);
  expect(verified.value.join("\n")).toContain(
    `one of 4 that were sealed at 2023-11-14T22:13:20.000Z in session ${session.sid} of round ${session.roundId}`,
  );
  expect(verified.value.join("\n")).toContain(
    "entry 1 of the log log.example/1, under a checkpoint of 1 entry",
  );
});

test("[A72] the command refuses a receipt that was changed, of another log or under another key, in a sentence", async () => {
  const { text, logKey } = await receiptOf(new MemoryLog(primitives));
  const seed = new Uint8Array(32).fill(9);
  const other = await receiptOf(new MemoryLog(primitives, "log.example/2"));
  const otherKey = await receiptOf(new MemoryLog(primitives, "log.example/1", seed));
  const refusal = async (file: string, key: string) => {
    const verified = await verifyReceiptFile(primitives, file, key);
    return verified.ok ? "holds" : verified.error;
  };
  expect(await refusal(text, logKey)).toBe("holds");
  expect(await refusal(other.text, logKey)).toContain("another log, log.example/2");
  expect(await refusal(text, otherKey.logKey)).toContain("not signed by this key");
  expect(await refusal("constructor", logKey)).toContain("no receipt that holds");
  expect(await refusal(text, "constructor")).toContain("NAME+KEYID+KEY");
  expect(await refusal(text.replace("index 0", "index 1"), logKey)).toContain("not under the checkpoint");
});

test("[A95] the command demands signatures of witnesses, and names who has signed", async () => {
  const log = new MemoryLog(primitives);
  const { text, logKey } = await receiptOf(log);
  const witness = await TestWitness.make("w.example", []);
  const other = await TestWitness.make("other.example", []);
  const note = parseNote(text.slice(text.indexOf("\n\n") + 2));
  if (!note.ok) throw new Error(note.error.sentence);
  const line = await cosignNote(primitives, witness.signer, "w.example", note.value.text, 1);
  const signed = text + formatSignatureLine(line);
  const quorum = { witnesses: [witness.key, other.key], needed: 1 };
  const held = await verifyReceiptFile(primitives, signed, logKey, quorum);
  expect(held.ok && held.value.join("\n")).toContain("The same checkpoint is signed by w.example.");
  const missing = await verifyReceiptFile(primitives, signed, logKey, { ...quorum, needed: 2 });
  expect(!missing.ok && missing.error).toContain("1 of the 2 witnesses that must have signed");
});
