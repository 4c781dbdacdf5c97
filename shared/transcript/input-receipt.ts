import { z } from "zod";
import { parseStrictText } from "../codec/strict-json.ts";
import { merkleLeafHash, verifyInclusion } from "../crypto/merkle.ts";
import { type Bytes, equalBytes, hexToBytes, utf8, utf8ToText } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { hashHexSchema } from "../protocol/ids.ts";
import { inputLeafHash } from "../secagg/input.ts";
import { type OpenCheckpointError, openCheckpoint } from "../tlog/checkpoint.ts";
import { type LeafError, type LeafOf, parseLeaf } from "../tlog/leaf.ts";
import { type KnownLog, type LogProof, type LogProofError, verifyLogProof } from "../tlog/log-proof.ts";
import { formatVerifierKey, SIGNATURE_TYPES, type VerifierKey, verifierKey } from "../tlog/note.ts";
import { NO_QUORUM, type Quorum, type TooFewWitnesses, tooFewWitnesses } from "../tlog/quorum.ts";
import { formatReceipt, parseReceipt, type ReceiptError } from "../tlog/receipt.ts";
import type { OwnInput } from "./own-input.ts";

/*
 * The receipt that a participant takes along: a `tlog-proof` of the entry `inputs.sealed` of its session. The proof's extra
 * data say how the participant's own list leads to that entry:
 *
 *     root of the own masked list -> merkleRoot of the entry -> root of the signed checkpoint
 *
 * Nobody signs the extra data, and nobody has to: they hash up to what is signed.
 *
 * Does not prove that the list was added to the sum correctly, nor whose list it is: whoever has the receipt can show it.
 * Rule A72.
 */

const extraSchema = z.strictObject({
  format: z.literal("chorus-input-receipt/1"),
  /** The entry as it stands in the log. */
  entry: z.string().max(4_096),
  own: z.strictObject({
    root: hashHexSchema,
    index: z.int().min(0),
    path: z.array(hashHexSchema).max(64),
  }),
});

/** A device's own list, and the session in which it was sealed. */
export interface SealedInput extends OwnInput {
  readonly sid: string;
}

/** What a receipt proves. */
export interface InputReceipt {
  /** Of the log. */
  readonly origin: string;
  readonly logSize: number;
  /** Of the entry in the log. */
  readonly entryIndex: number;
  /** Unix milliseconds by the coordinator's clock; null if the entry has none. */
  readonly at: number | null;
  readonly roundId: string;
  readonly sid: string;
  /** Lists under the entry's root. */
  readonly survivors: number;
  /** Root over the chunks of the participant's own masked list. */
  readonly inputRoot: string;
  /** Names of the quorum's witnesses that have cosigned the checkpoint. */
  readonly witnesses: readonly string[];
}

export type InputReceiptError =
  | ReceiptError
  | OpenCheckpointError
  | LeafError
  | TooFewWitnesses
  /** The receipt's own list does not lead to the entry. */
  | { readonly type: "not-under-entry" }
  /** The entry does not lead to the checkpoint. */
  | { readonly type: "not-included"; readonly index: number };

/**
 * Checks a receipt offline.
 *
 * @param text    Of the file.
 * @param key     Of the log that it is held against; its name is the log's origin.
 * @param quorum  Who must have cosigned.
 */
export async function verifyInputReceipt(
  primitives: Primitives,
  text: string,
  key: VerifierKey,
  quorum: Quorum = NO_QUORUM,
): Promise<Result<InputReceipt, InputReceiptError>> {
  const receipt = parseReceipt(text);
  if (!receipt.ok) return receipt;
  const { index, path } = receipt.value;
  const extra = readExtra(receipt.value.extra);
  if (extra === undefined) return err({ type: "bad-receipt", sentence: NOT_OF_AN_INPUT });
  const opened = await openCheckpoint(primitives, receipt.value.checkpoint, key, quorum.witnesses);
  if (!opened.ok) return opened;
  const { origin, size, root } = opened.value.checkpoint;
  const entry = utf8(extra.entry);
  const leafHash = await merkleLeafHash(primitives, entry);
  if (!(await verifyInclusion(primitives, { leafHash, index, size, path, root })))
    return err({ type: "not-included", index });
  const leaf = parseLeaf(entry);
  if (!leaf.ok) return leaf;
  if (leaf.value.kind !== "inputs.sealed") return err({ type: "bad-receipt", sentence: NOT_OF_AN_INPUT });
  const { facts, at } = leaf.value;
  if (!(await isUnder(primitives, extra.own, facts))) return err({ type: "not-under-entry" });
  const tooFew = tooFewWitnesses(quorum, opened.value.cosigned);
  if (tooFew !== null) return err(tooFew);
  const { roundId, sid, survivors } = facts;
  const inputRoot = extra.own.root;
  const witnesses = opened.value.cosigned.map(({ key: { name } }) => name);
  return ok({ origin, logSize: size, entryIndex: index, at, roundId, sid, survivors, inputRoot, witnesses });
}

const NOT_OF_AN_INPUT = "This is a proof of an entry, but not the receipt of a participant's list.";

/** A receipt, and what the device has then seen of the log. */
export interface MadeReceipt {
  /** Of the file. */
  readonly text: string;
  readonly receipt: InputReceipt;
  /** The log's key that the checkpoint is signed with, as NAME+KEYID+KEY. */
  readonly logKey: string;
  /** To be remembered, as after every proof. */
  readonly seen: {
    readonly size: number;
    readonly root: Bytes;
    readonly key: Bytes;
    readonly checkpoint: string;
  };
}

export type MakeReceiptError =
  | LogProofError
  | InputReceiptError
  /** The proof is of another entry than that of this device's session, or the entry states another root. */
  | { readonly type: "other-entry" };

/**
 * Makes the receipt from what the coordinator proved, and checks it before anyone gets it.
 *
 * @param proof  Of the entry `inputs.sealed` of the device's session alone.
 * @param known  What the device knows of the log: the proof must extend what it saw.
 * Errors: those of the proof, which mean what they mean in a round; `other-entry`, `not-under-entry`.
 */
export async function makeInputReceipt(
  primitives: Primitives,
  proof: LogProof,
  known: KnownLog,
  own: SealedInput,
): Promise<Result<MadeReceipt, MakeReceiptError>> {
  const verified = await verifyLogProof(primitives, proof, known);
  if (!verified.ok) return verified;
  const { checkpoint, key, leaves } = verified.value;
  const [proved, leaf] = [proof.leaves[0], leaves[0]];
  if (proved === undefined || leaf?.kind !== "inputs.sealed" || !isOfSession(leaf, own))
    return err({ type: "other-entry" });
  const { leafIndex: index, path } = own.proof;
  const extra = {
    format: "chorus-input-receipt/1",
    entry: utf8ToText(proved.leaf),
    own: { root: own.root, index, path },
  };
  const text = formatReceipt({
    extra: utf8(JSON.stringify(extra)),
    index: proved.index,
    path: proved.path,
    checkpoint: proof.checkpoint,
  });
  const named = await verifierKey(primitives, known.origin, SIGNATURE_TYPES.ed25519, key);
  const receipt = await verifyInputReceipt(primitives, text, named, known.quorum);
  if (!receipt.ok) return receipt;
  const { size, root } = checkpoint;
  const logKey = formatVerifierKey(named);
  return ok({
    text,
    receipt: receipt.value,
    logKey,
    seen: { size, root, key, checkpoint: proof.checkpoint },
  });
}

/** The entry is of the session that the device was in, and states what the outcome told the device. */
function isOfSession({ facts }: LeafOf<"inputs.sealed">, own: SealedInput): boolean {
  return (
    facts.sid === own.sid &&
    facts.survivors === own.survivorCount &&
    equalBytes(hexToBytes(facts.merkleRoot), hexToBytes(own.proof.inputsRoot))
  );
}

async function isUnder(
  primitives: Primitives,
  own: z.output<typeof extraSchema>["own"],
  { survivors, merkleRoot }: LeafOf<"inputs.sealed">["facts"],
): Promise<boolean> {
  return verifyInclusion(primitives, {
    leafHash: await inputLeafHash(primitives, hexToBytes(own.root)),
    index: own.index,
    size: survivors,
    path: own.path.map(hexToBytes),
    root: hexToBytes(merkleRoot),
  });
}

function readExtra(extra: Bytes | null): z.output<typeof extraSchema> | undefined {
  const text = extra === null ? undefined : utf8ToText(extra);
  if (text === undefined) return undefined;
  const parsed = parseStrictText(text, "The receipt", { entryCountMax: 1_000 });
  return parsed.ok ? extraSchema.safeParse(parsed.value).data : undefined;
}

/** True if a receipt's text says that it is one of a participant's list, whether it holds or not. */
export function isInputReceipt(text: string): boolean {
  const receipt = parseReceipt(text);
  return receipt.ok && readExtra(receipt.value.extra) !== undefined;
}
