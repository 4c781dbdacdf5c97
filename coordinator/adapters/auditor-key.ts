import { readFile } from "node:fs/promises";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives, RandomBytes } from "#shared/kernel/ports.ts";
import { createSecretFile } from "./secret-file.ts";

/** X25519 key, 64 hex digits. */
export const AUDITOR_KEY_PATTERN = /^[0-9a-f]{64}$/;

/**
 * The demo's own auditor: a key pair whose secret half is in a file that only this user can read. A real
 * auditor makes the pair elsewhere and hands over only the public half.
 *
 * @returns The public half, hex. @throws Error that says what to do if the file holds no key.
 */
export async function openAuditorKey(
  path: string,
  folder: string,
  primitives: Primitives,
  random: RandomBytes,
): Promise<string> {
  const text =
    (await createSecretFile(path, folder, bytesToHex(random(32)))) ?? (await readFile(path, "utf8")).trim();
  return bytesToHex(await primitives.x25519PublicKey(secretOf(path, text)));
}

/** Reads the secret half. @throws Error that says what to do. */
export async function readAuditorKey(path: string): Promise<Bytes> {
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch {
    throw new Error(`${path} cannot be read. Check --auditor-key.`);
  }
  return secretOf(path, text);
}

function secretOf(path: string, text: string): Bytes {
  if (!AUDITOR_KEY_PATTERN.test(text))
    throw new Error(
      `${path} holds no auditor key, which is 64 hex digits on one line. Restore it, or name another file.`,
    );
  return hexToBytes(text);
}
