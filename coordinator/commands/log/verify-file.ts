import { open } from "node:fs/promises";
import { parseBundle } from "#shared/audit/bundle.ts";
import { type Bytes, utf8ToText } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import { checkLogEvidence } from "#shared/secagg/check-log-evidence.ts";
import { parseLogEvidence } from "#shared/secagg/log-evidence.ts";
import { parseVerifierKey } from "#shared/tlog/note.ts";
import type { Quorum } from "#shared/tlog/quorum.ts";
import { RECEIPT_HEADER } from "#shared/tlog/receipt.ts";
import { isInputReceipt } from "#shared/transcript/input-receipt.ts";
import { givenQuorum, type QuorumFlags } from "../quorum-options.ts";
import { verifyBundle } from "./verify-bundle.ts";
import { verifyProof } from "./verify-proof.ts";
import { verifyReceiptFile } from "./verify-receipt.ts";

const NEEDS_KEY =
  "A receipt is held against the log's key: add --key NAME+KEYID+KEY, as the page printed it, or as /api/v1/log of the coordinator states it.";

/** A larger file is none of these. */
const BYTES_MAX = 500_000_000;

/**
 * Tells by its content what a file is, checks it and prints what can be said of it.
 *
 * @param key       The log's, as NAME+KEYID+KEY; undefined if none was given.
 * @param demanded  Witnesses that must have signed. Evidence is of the log's own signatures alone.
 * @returns The exit code: 0 if it holds, 1 if it does not, 2 if it is no such file or the key is none.
 */
export async function verifyFile(
  path: string,
  key: string | undefined,
  demanded: QuorumFlags,
): Promise<number> {
  const quorum = await givenQuorum(demanded);
  if (!quorum.ok) return refuse(quorum.error);
  const text = await readText(path);
  if (!text.ok) return refuse(text.error);
  if (isInputReceipt(text.value)) return verifyReceipt(text.value, key, quorum.value);
  if (text.value.startsWith(RECEIPT_HEADER)) {
    const given = key === undefined ? null : await parseVerifierKey(primitives, key);
    if (given?.ok !== true) return refuse(given === null ? NEEDS_KEY : given.error.sentence);
    return verifyProof(text.value, given.value, quorum.value);
  }
  const evidence = parseLogEvidence(text.value);
  if (evidence.ok) {
    const { verdict, sentence } = await checkLogEvidence(primitives, evidence.value);
    console.log(`${verdict}: ${sentence}`);
    // Evidence holds if it shows what the device said: that the log contradicted itself.
    return verdict === "contradicted" ? 0 : 1;
  }
  const bundle = parseBundle(jsonOrNull(text.value));
  if (!bundle.ok) return refuse(`${path} is no receipt, no exported audit and no evidence.`);
  const pinned = await pinnedKey(key);
  return pinned.ok ? verifyBundle(bundle.value, pinned.value, quorum.value) : refuse(pinned.error);
}

async function verifyReceipt(text: string, key: string | undefined, quorum: Quorum): Promise<number> {
  if (key === undefined) return refuse(NEEDS_KEY);
  const verified = await verifyReceiptFile(primitives, text, key, quorum);
  if (!verified.ok) {
    console.error(verified.error);
    return 1;
  }
  for (const line of verified.value) console.log(line);
  return 0;
}

async function pinnedKey(key: string | undefined): Promise<Result<Bytes | null, string>> {
  if (key === undefined) return ok(null);
  const parsed = await parseVerifierKey(primitives, key);
  return parsed.ok ? ok(parsed.value.publicKey) : err(parsed.error.sentence);
}

async function readText(path: string): Promise<Result<string, string>> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path);
  } catch (fault) {
    return err(`${path} cannot be read (${fault instanceof Error ? fault.message : String(fault)}).`);
  }
  try {
    const { size } = await file.stat();
    if (size > BYTES_MAX) return err(`${path} is larger than any receipt, audit or evidence.`);
    const text = utf8ToText(new Uint8Array(await file.readFile()));
    return text === undefined ? err(`${path} is no receipt, no exported audit and no evidence.`) : ok(text);
  } finally {
    await file.close();
  }
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refuse(sentence: string): number {
  console.error(sentence);
  return 2;
}
