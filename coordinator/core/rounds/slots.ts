import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { bytesToBase64Url, bytesToHex, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { CoordinatorPorts, SlotRow } from "../ports/ports.ts";

/**
 * Upload slots: one per position of U2, good for one input. The token is derived from a key in the settings,
 * so that a device returning after a restart gets the same one. The database holds its hash.
 *
 * A token keeps strangers from writing to the spool. What counts is the device's signature over its input.
 */
export interface Slots {
  /** 43 characters of base64url. */
  token(sid: string, position: Position): Promise<string>;
  rows(sid: string, positions: readonly Position[]): Promise<SlotRow[]>;
  /** Whether this is that slot's token. Needs no look-up. */
  isToken(sid: string, position: Position, token: string): Promise<boolean>;
}

const SETTING = "slot-key";

export async function openSlots(
  ports: Pick<CoordinatorPorts, "store" | "random" | "primitives">,
): Promise<Slots> {
  const { primitives } = ports;
  const key = hexToBytes(await ports.store.putSettingOnce(SETTING, bytesToHex(ports.random(32))));
  const token = async (sid: string, position: Position) => {
    const bytes = await primitives.hkdfSha256(key, hexToBytes(sid), E(DOMAINS.slot, position), 32);
    return bytesToBase64Url(bytes);
  };
  const hash = async (text: string) => bytesToHex(await primitives.sha256(utf8(text)));
  return {
    token,
    // Compares hashes, so that timing reveals nothing about the token.
    isToken: async (sid, position, claimed) =>
      (await hash(claimed)) === (await hash(await token(sid, position))),
    rows: (sid, positions) =>
      Promise.all(
        positions.map(async (position) => ({ position, slotHash: await hash(await token(sid, position)) })),
      ),
  };
}
