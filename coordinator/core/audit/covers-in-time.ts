import type { CoordinatorPorts } from "../ports/ports.ts";
import type { PublicLog, WitnessDemand } from "../ports/public-log.ts";

/** True once a published checkpoint has leaf `index` and what is demanded; false if none has in time, or the log signs no more. */
export async function coversInTime(
  publicLog: Pick<PublicLog, "covers">,
  after: CoordinatorPorts["after"],
  index: number,
  patienceMs: number,
  demand: WitnessDemand | null,
): Promise<boolean> {
  const late = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = after(patienceMs, () => {
      late.abort();
      resolve(false);
    });
    publicLog.covers(index, { signal: late.signal, demand }).then(resolve, reject).finally(cancel);
  });
}
