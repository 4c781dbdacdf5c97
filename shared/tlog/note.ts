import { verifySignature } from "../crypto/signature.ts";
import {
  type Bytes,
  base64ToBytes,
  bytesToBase64,
  bytesToHex,
  concatBytes,
  readU32be,
  u32be,
  u64be,
  utf8,
} from "../kernel/bytes.ts";
import type { Primitives, Signer } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * Signed notes: a text, a blank line, and one line for each signature:
 *
 *     text, one or more lines
 *
 *     — NAME base64(key id, 4 bytes | signature)
 *
 * Signatures are Ed25519 over the text (type 0x01), or a witness's cosignature with a time (type 0x04): 8 bytes of seconds
 * since 1970, then Ed25519 over "cosignature/v1\ntime SECONDS\n" and the text. Lines of unknown keys are kept and ignored.
 *
 * Source: c2sp.org/signed-note, c2sp.org/tlog-cosignature.
 * Does not protect: a note says who signed a text, not that the same text was shown to everyone.
 */

export const SIGNATURE_TYPES = { ed25519: 1, cosignature: 4 } as const;
type SignatureType = (typeof SIGNATURE_TYPES)[keyof typeof SIGNATURE_TYPES];

/** Who may sign: what is known of a log or of a witness. */
export interface VerifierKey {
  /** Of the log or the witness: no spaces, no plus sign. */
  readonly name: string;
  readonly type: SignatureType;
  /** The first four bytes of SHA-256(name, LF, type, public key). */
  readonly id: number;
  /** 32 bytes. */
  readonly publicKey: Bytes;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** Without the key id. Of an unknown key: any number of bytes. */
  readonly bytes: Bytes;
}

export interface SignedNote {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Notes of logs with many witnesses are a few kilobytes. */
const NOTE_LENGTH_MAX = 262_144;
const SIGNATURE_COUNT_MAX = 100;
const EM_DASH = "\u2014";

export async function verifierKey(
  primitives: Pick<Primitives, "sha256">,
  name: string,
  type: SignatureType,
  publicKey: Bytes,
): Promise<VerifierKey> {
  const hash = await primitives.sha256(concatBytes([utf8(`${name}\n`), Uint8Array.of(type), publicKey]));
  return { name, type, id: readU32be(hash, 0), publicKey };
}

/** NAME+KEYID+KEY, as `parseVerifierKey` reads it. */
export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${bytesToHex(u32be(id))}+${bytesToBase64(concatBytes([Uint8Array.of(type), publicKey]))}`;
}

export async function parseVerifierKey(
  primitives: Pick<Primitives, "sha256">,
  text: string,
): Promise<Result<VerifierKey, VerifierKeyError>> {
  const bad = (sentence: string) => err({ type: "bad-verifier-key", sentence } as const);
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  if (name === undefined || id === undefined || encoded === undefined || !isNoteName(name))
    return bad("A verifier key is NAME+KEYID+KEY: eight hexadecimal digits, then base64.");
  const bytes = base64ToBytes(encoded);
  const type = Object.values(SIGNATURE_TYPES).find((known) => known === bytes?.[0]);
  if (bytes?.length !== 33 || type === undefined)
    return bad("The verifier key is not one of Ed25519. Ask for a key of type 1 (log) or 4 (witness).");
  const key = await verifierKey(primitives, name, type, bytes.slice(1));
  if (bytesToHex(u32be(key.id)) !== id)
    return bad("The verifier key's id does not belong to its name and key. Copy the whole line again.");
  return ok(key);
}
export interface VerifierKeyError {
  readonly type: "bad-verifier-key";
  /** What is wrong, and what to do. */
  readonly sentence: string;
}

/** True if `name` may stand in a signature line. */
export function isNoteName(name: string): boolean {
  return name.length > 0 && !/[\p{White_Space}+]/u.test(name) && isNoteText(name);
}

/** Valid Unicode without control characters other than newlines. */
function isNoteText(text: string): boolean {
  if (/\p{Surrogate}/u.test(text)) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 && code !== 0x0a) return false;
  }
  return true;
}

export function parseNote(note: string): Result<SignedNote, NoteError> {
  const bad = (sentence: string) => err({ type: "bad-note", sentence } as const);
  if (note.length > NOTE_LENGTH_MAX) return bad("The note is longer than any of a log.");
  if (!isNoteText(note)) return bad("The note has control characters.");
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) return bad("The note has no signatures.");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURE_COUNT_MAX) return bad("The note has too many signatures.");
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    if (signature === undefined) return bad("The note has a signature line that is none.");
    signatures.push(signature);
  }
  return ok({ text, signatures });
}
export interface NoteError {
  readonly type: "bad-note";
  readonly sentence: string;
}

/** Returns undefined if the line is malformed. @param line  Without its newline. */
export function parseSignatureLine(line: string): NoteSignature | undefined {
  const [dash, name, encoded, ...more] = line.split(" ");
  if (dash !== EM_DASH || name === undefined || encoded === undefined || more.length > 0) return undefined;
  const bytes = base64ToBytes(encoded);
  if (!isNoteName(name) || bytes === undefined || bytes.length <= 4) return undefined;
  return { name, keyId: readU32be(bytes, 0), bytes: bytes.slice(4) };
}

/** With its newline. */
export function formatSignatureLine({ name, keyId, bytes }: NoteSignature): string {
  return `${EM_DASH} ${name} ${bytesToBase64(concatBytes([u32be(keyId), bytes]))}\n`;
}

export function formatNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(formatSignatureLine).join("")}`;
}

export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Seconds since 1970 that a cosignature states; null for other signatures. */
  readonly timeS: number | null;
}

/**
 * Which of `keys` have signed the note. Every line of a known key must hold, and lines of other keys are ignored.
 *
 * Errors: `bad-signature` if a line of a known key does not verify.
 */
export async function verifyNote(
  primitives: Primitives,
  { text, signatures }: SignedNote,
  keys: readonly VerifierKey[],
): Promise<Result<readonly VerifiedSignature[], SignatureError>> {
  const verified = new Map<VerifierKey, VerifiedSignature>();
  for (const signature of signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.keyId);
    if (key === undefined) continue;
    const holds = await verifyLine(primitives, key, text, signature.bytes);
    if (holds === undefined) return err({ type: "bad-signature", name: key.name });
    // Only the first line of a key counts.
    if (!verified.has(key)) verified.set(key, holds);
  }
  return ok([...verified.values()]);
}
export interface SignatureError {
  readonly type: "bad-signature";
  readonly name: string;
}

async function verifyLine(
  primitives: Primitives,
  key: VerifierKey,
  text: string,
  bytes: Bytes,
): Promise<VerifiedSignature | undefined> {
  if (key.type === SIGNATURE_TYPES.ed25519) {
    const holds = await verifySignature(primitives, key.publicKey, utf8(text), bytes);
    return holds ? { key, timeS: null } : undefined;
  }
  if (bytes.length !== 72) return undefined;
  const timeS = readU32be(bytes, 0) * 2 ** 32 + readU32be(bytes, 4);
  if (!Number.isSafeInteger(timeS)) return undefined;
  const holds = await verifySignature(primitives, key.publicKey, cosignedBytes(text, timeS), bytes.slice(8));
  return holds ? { key, timeS } : undefined;
}

/** What a cosignature of version 1 signs. */
function cosignedBytes(text: string, timeS: number): Bytes {
  return utf8(`cosignature/v1\ntime ${timeS}\n${text}`);
}

/** The line of a log's own key under `text`. */
export async function signNote(
  primitives: Pick<Primitives, "sha256">,
  signer: Signer,
  name: string,
  text: string,
): Promise<NoteSignature> {
  const { id } = await verifierKey(primitives, name, SIGNATURE_TYPES.ed25519, signer.publicKey);
  return { name, keyId: id, bytes: await signer.sign(utf8(text)) };
}

/** The line of a witness under `text`. @param timeS  Seconds since 1970. */
export async function cosignNote(
  primitives: Pick<Primitives, "sha256">,
  signer: Signer,
  name: string,
  text: string,
  timeS: number,
): Promise<NoteSignature> {
  const { id } = await verifierKey(primitives, name, SIGNATURE_TYPES.cosignature, signer.publicKey);
  const signature = await signer.sign(cosignedBytes(text, timeS));
  return { name, keyId: id, bytes: concatBytes([u64be(timeS), signature]) };
}
