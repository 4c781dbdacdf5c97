import type { CoordinatorPorts } from "../ports/ports.ts";
import type { PublicLog } from "../ports/public-log.ts";

/** True once a published checkpoint has leaf `index`; false if none has in time, or the log signs no more. */
export async function coversInTime(
  publicLog: Pick<PublicLog, "covers">,
  after: CoordinatorPorts["after"],
  index: number,
  patienceMs: number,
): Promise<boolean> {
  const late = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = after(patienceMs, () => {
      late.abort();
      resolve(false);
    });
    publicLog.covers(index, late.signal).then(resolve, reject).finally(cancel);
  });
}
