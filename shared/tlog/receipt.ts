import { type Bytes, base64ToBytes, bytesToBase64 } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { parseSize } from "./checkpoint.ts";

/*
 * A proof that a leaf is in a log, as one text file that is checked offline:
 *
 *     c2sp.org/tlog-proof@v1
 *     extra BASE64          (optional; nothing signs it)
 *     index DECIMAL
 *     BASE64                (each sibling, from the leaf up)
 *
 *     checkpoint            (a signed note, with its cosignatures)
 *
 * Source: c2sp.org/tlog-proof.
 */

export interface Receipt {
  /** What nobody signed: in ours, what the leaf is made from. */
  readonly extra: Bytes | null;
  readonly index: number;
  readonly path: readonly Bytes[];
  /** A signed note. */
  readonly checkpoint: string;
}

/** The first line. */
export const RECEIPT_HEADER = "c2sp.org/tlog-proof@v1";
/** A path of a tree of 2^53 leaves. */
const PATH_LENGTH_MAX = 63;

export function formatReceipt({ extra, index, path, checkpoint }: Receipt): string {
  const lines = [
    RECEIPT_HEADER,
    ...(extra === null ? [] : [`extra ${bytesToBase64(extra)}`]),
    `index ${index}`,
    ...path.map(bytesToBase64),
  ];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

/** Only reads. `verifyInclusion` and `openCheckpoint` say whether it holds. */
export function parseReceipt(text: string): Result<Receipt, ReceiptError> {
  const bad = (sentence: string) => err({ type: "bad-receipt", sentence } as const);
  const split = text.indexOf("\n\n");
  if (split < 0) return bad("The receipt has no checkpoint.");
  const [header, ...lines] = text.slice(0, split).split("\n");
  if (header !== RECEIPT_HEADER) return bad(`A receipt begins with ${RECEIPT_HEADER}.`);
  const extraText = lines[0]?.startsWith("extra ") === true ? lines.shift() : undefined;
  const extra = extraText === undefined ? null : base64ToBytes(extraText.slice("extra ".length));
  if (extra === undefined) return bad("The receipt's extra data is not base64.");
  const indexText = lines.shift() ?? "";
  const index = indexText.startsWith("index ") ? parseSize(indexText.slice("index ".length)) : undefined;
  if (index === undefined) return bad("The receipt does not say which leaf it is of.");
  const path = readHashes(lines, PATH_LENGTH_MAX);
  if (path === undefined) return bad("The receipt's path is not of hashes.");
  return ok({ extra, index, path, checkpoint: text.slice(split + 2) });
}
export interface ReceiptError {
  readonly type: "bad-receipt";
  readonly sentence: string;
}

/** One hash of 32 bytes a line, in base64. Returns undefined if a line is none or there are more than `countMax`. */
export function readHashes(lines: readonly string[], countMax: number): Bytes[] | undefined {
  if (lines.length > countMax) return undefined;
  const hashes: Bytes[] = [];
  for (const line of lines) {
    const hash = base64ToBytes(line);
    if (hash?.length !== 32) return undefined;
    hashes.push(hash);
  }
  return hashes;
}
