import { unreachable } from "#shared/kernel/assert.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { Remembrance } from "#shared/secagg/client-state.ts";
import type { ClientPorts, Memory } from "../ports.ts";

/** A disk that has not written a line in this time will not do it in time for the round either. */
const WRITE_MS_MAX = 20_000;

/**
 * The durable write that the engine asks for. Errors: the memory's own, and `STORAGE_FULL` where it is not known to be
 * durable, or not in time. A write that arrives later only forbids what was not sent. Rule T4.
 */
export async function remember(
  { memory, after }: Pick<ClientPorts, "memory" | "after">,
  wanted: Remembrance,
): Promise<Result<void, ErrorCode>> {
  let cancel: () => void = () => {};
  const late = new Promise<Result<void, ErrorCode>>((resolve) => {
    cancel = after(WRITE_MS_MAX, () => resolve(err("STORAGE_FULL")));
  });
  try {
    return await Promise.race([write(memory, wanted), late]);
  } catch {
    return err("STORAGE_FULL");
  } finally {
    cancel();
  }
}

async function write(memory: Memory, wanted: Remembrance): Promise<Result<void, ErrorCode>> {
  switch (wanted.kind) {
    case "mark":
      return memory.mark(wanted.runId, wanted.round, wanted.attempt);
    case "use":
      return memory.use(wanted);
    case "vote":
      return memory.vote(wanted.sid, wanted.setHash);
    case "reveal":
      return memory.reveal(wanted);
    default:
      return unreachable(wanted);
  }
}
