import type { TaskView } from "#shared/protocol/api.ts";
import { openTestDevice } from "../devices/device.ts";

/*
 * Devices with the real link, cryptography and client core but made-up training, in their own process. Arguments:
 * coordinator, task, join token, seed of the first device, number of devices.
 */

export type ToDevices =
  /** Takes part from now on. `held`: each check-in waits for a `check-in` message. */
  | { readonly type: "start"; readonly held: boolean }
  | { readonly type: "check-in" }
  /** Sends `count` float32 with an HTTP PUT, like a client without secure aggregation. */
  | { readonly type: "put-plain"; readonly url: string; readonly count: number };
export type FromDevices =
  | { readonly type: "ready" }
  | { readonly type: "ended"; readonly seed: number; readonly round: number; readonly kind: string }
  | { readonly type: "put" };

const [url = "", slug = "", joinToken = "", first = "", count = ""] = process.argv.slice(2);
const { task } = (await (await fetch(`${url}/api/v1/tasks/${slug}`)).json()) as TaskView;
const seeds = Array.from({ length: Number(count) }, (_, index) => Number(first) + index);
const devices = await Promise.all(
  seeds.map(async (seed) => {
    const device = await openTestDevice(url, task, seed, { joinToken, archive: false });
    device.enrolment.view.subscribe(({ round }) => {
      if (round?.outcome) tell({ type: "ended", seed, round: round.round, kind: round.outcome.kind });
    });
    return device;
  }),
);
process.on("message", (message: ToDevices) => void carryOut(message));
process.once("disconnect", () => process.exit(0));
tell({ type: "ready" });

async function carryOut(message: ToDevices): Promise<void> {
  switch (message.type) {
    case "start":
      for (const { enrolment, hold } of devices) {
        if (message.held) hold("check-in");
        enrolment.view.subscribe(({ activity }) => {
          if (message.held && activity === "in-round") hold("check-in");
        });
        enrolment.start();
      }
      return;
    case "check-in":
      for (const { release } of devices) release();
      return;
    case "put-plain": {
      const body = new Float32Array(message.count).map((_, index) => Math.sin(index));
      const response = await fetch(message.url, { method: "PUT", body });
      await response.arrayBuffer();
      tell({ type: "put" });
      return;
    }
  }
}

function tell(message: FromDevices): void {
  process.send?.(message);
}
