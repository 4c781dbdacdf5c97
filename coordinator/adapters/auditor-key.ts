import { readFile } from "node:fs/promises";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives, RandomBytes } from "#shared/kernel/ports.ts";
import { createSecretFile } from "./secret-file.ts";

/** X25519, 64 hex digits. */
export const AUDITOR_KEY_PATTERN = /^[0-9a-f]{64}$/;

/**
 * The demo's own auditor: a pair of which the secret half lies in a file that only this user reads. A real auditor makes
 * it elsewhere and hands over the public half alone.
 *
 * @returns The public half, hex. @throws Error with what to do, where the file holds no key.
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

/** The secret half. @throws Error with what to do. */
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
      `${path} holds no auditor key: 64 hex digits on one line. Restore it, or name another file.`,
    );
  return hexToBytes(text);
}
