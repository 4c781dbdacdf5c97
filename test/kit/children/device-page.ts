import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { type DeviceStart, openTimedDevice, type TimedAnswer, type TimedDevice } from "../timed-device.ts";

/*
 * The client core in a browser's page, driven from outside. Bytes cross as hex, an input as the body of a POST to
 * /input; neither is in the times.
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
};

const page: DevicePage = globalThis;
let device: TimedDevice | null = null;

page.advertise = async ({ identitySeed, randomness, ...start }) => {
  const signer = localSigner(hexToBytes(identitySeed), crypto.subtle);
  device = openTimedDevice(await selectPrimitives(crypto.subtle), signer);
  return outside(await device.advertise({ ...start, randomness: hexToBytes(randomness) }));
};
page.deliver = async (frame) => outside(await present(device, "a device").deliver(hexToBytes(frame)));

async function outside({ ms, frame, input }: TimedAnswer): Promise<PageAnswer> {
  if (input !== null) await fetch("/input", { method: "POST", body: input.body });
  return {
    ms,
    frame: frame === null ? null : bytesToHex(frame as Bytes),
    inputHeaders: input?.headers ?? null,
  };
}
