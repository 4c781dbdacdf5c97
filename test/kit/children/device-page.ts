import { addMasks } from "#shared/crypto/mask-stream.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import {
  type DeviceStart,
  openTimedDevice,
  type TimedAnswer,
  type TimedDevice,
} from "../devices/timed-device.ts";

/*
 * The client core in a browser page, driven from outside. Bytes cross as hex, an input as the body of a POST to /input;
 * neither is included in the times.
 */

export type PageStart = Omit<DeviceStart, "randomness"> & {
  readonly randomness: string;
  readonly identitySeed: string;
};
export interface PageAnswer {
  readonly ms: number;
  readonly frame: string | null;
  readonly inputHeaders: NonNullable<TimedAnswer["input"]>["headers"] | null;
}
export type DevicePage = typeof globalThis & {
  advertise?: (start: PageStart) => Promise<PageAnswer>;
  deliver?: (frame: string) => Promise<PageAnswer>;
  measureMasks?: (count: number, length: number) => Promise<{ masksS: number; cipherAloneS: number }>;
};

const page: DevicePage = globalThis;
let device: TimedDevice | null = null;

page.advertise = async ({ identitySeed, randomness, ...start }) => {
  const signer = localSigner(hexToBytes(identitySeed), crypto.subtle);
  device = openTimedDevice(await selectPrimitives(crypto.subtle), signer);
  return outside(await device.advertise({ ...start, randomness: hexToBytes(randomness) }));
};
page.deliver = async (frame) => outside(await present(device, "a device").deliver(hexToBytes(frame)));

page.measureMasks = async (count, length) => {
  const primitives = await selectPrimitives(crypto.subtle);
  const masks = Array.from({ length: count }, () => ({
    key: crypto.getRandomValues(new Uint8Array(32)),
    sign: 1 as const,
  }));
  const cipherAlone = async () => {
    const blockByteCount = 256 * 1024;
    let left = Math.ceil((4 * length * count) / blockByteCount);
    const worker = async () => {
      while (left-- > 0) {
        const { key } = present(masks[left % count], "a mask");
        release(await primitives.aes256CtrKeystream(key, 0, blockByteCount));
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  };
  const best = { masksS: Number.POSITIVE_INFINITY, cipherAloneS: Number.POSITIVE_INFINITY };
  for (let turn = 0; turn < 3; turn++) {
    best.masksS = Math.min(
      best.masksS,
      await secondsOf(() => addMasks(primitives, new Uint32Array(length), masks)),
    );
    best.cipherAloneS = Math.min(best.cipherAloneS, await secondsOf(cipherAlone));
  }
  return best;
};

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1e3;
}

async function outside({ ms, frame, input }: TimedAnswer): Promise<PageAnswer> {
  if (input !== null) await fetch("/input", { method: "POST", body: input.body });
  return {
    ms,
    frame: frame === null ? null : bytesToHex(frame as Bytes),
    inputHeaders: input?.headers ?? null,
  };
}
