import type { Ring } from "#shared/vector/ring.ts";
import { ProductDevice, type ProductDeviceOptions } from "#test/kit/devices/product-device.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* One product enrolment among devices in memory, against the real core. */

/** A product device joins `others` devices in memory; the round wants all of them. */
export async function among(others: number, options: ProductDeviceOptions = {}, ring: Ring = 32) {
  const federation = await Federation.create({ devices: others, task: { goal: others + 1, ring } });
  const device = await ProductDevice.create(federation, options);
  return { federation, device };
}

/** Launches a run and connects everyone. */
export async function begin(federation: Federation, device: ProductDevice, rounds = 1): Promise<string> {
  const runId = await federation.launch(rounds);
  federation.connectAll();
  device.enrolment.start();
  return runId;
}

/** Null until the device's round has ended. */
export const outcomeOf = (device: ProductDevice) => device.view.round?.outcome ?? null;
