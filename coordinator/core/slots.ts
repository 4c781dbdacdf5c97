import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { type Bytes, bytesToHex, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import type { CoordinatorPorts, SlotRow } from "./ports.ts";

/**
 * Upload slots: one for each position of U2, good for one input. The token is derived from a key in the settings, so a
 * device that comes back after a restart gets the same one; the database holds its hash.
 *
 * A token keeps strangers from writing to the spool. What counts is the device's signature over its input.
 */
export interface Slots {
  /** 43 characters of base64url. */
  token(sid: string, position: number): Promise<string>;
  rows(sid: string, positions: readonly number[]): Promise<SlotRow[]>;
  /** Whether this is the token of that slot; nothing is looked up. */
  isToken(sid: string, position: number, token: string): Promise<boolean>;
}

const SETTING = "slot-key";

export async function openSlots(
  ports: Pick<CoordinatorPorts, "store" | "random" | "primitives">,
): Promise<Slots> {
  const { primitives } = ports;
  const key = hexToBytes(await ports.store.putSettingOnce(SETTING, bytesToHex(ports.random(32))));
  const token = async (sid: string, position: number) => {
    const bytes = await primitives.hkdfSha256(key, hexToBytes(sid), E(DOMAINS.slot, position), 32);
    return base64Url(bytes);
  };
  const hash = async (text: string) => bytesToHex(await primitives.sha256(utf8(text)));
  return {
    token,
    // Hashes are compared, so that the time it takes says nothing of the token.
    isToken: async (sid, position, claimed) =>
      (await hash(claimed)) === (await hash(await token(sid, position))),
    rows: (sid, positions) =>
      Promise.all(
        positions.map(async (position) => ({ position, slotHash: await hash(await token(sid, position)) })),
      ),
  };
}

function base64Url(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
