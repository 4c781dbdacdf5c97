import { unreachable } from "#shared/kernel/assert.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { Remembrance } from "#shared/secagg/client-state.ts";
import type { ClientPorts } from "../ports.ts";

/** A disk that takes longer than this to write a line is too slow for the round. */
const WRITE_MS_MAX = 20_000;

/**
 * Does the durable write that the engine asks for.
 * Errors: the memory's own, `LOG_MOVED` if the device has seen another state of the public log than the one that the round
 * went on from (A41), and `STORAGE_FULL` if the write is not known to be durable in time. A write that completes later only forbids what was never sent. Rule T4.
 */
export async function remember(
  { memory, logs, after }: Pick<ClientPorts, "memory" | "logs" | "after">,
  wanted: Remembrance,
): Promise<Result<void, ErrorCode | "LOG_MOVED">> {
  let cancel: () => void = () => {};
  const late = new Promise<Result<void, ErrorCode>>((resolve) => {
    cancel = after(WRITE_MS_MAX, () => resolve(err("STORAGE_FULL")));
  });
  try {
    return await Promise.race([write({ memory, logs }, wanted), late]);
  } catch {
    return err("STORAGE_FULL");
  } finally {
    cancel();
  }
}

async function write(
  { memory, logs }: Pick<ClientPorts, "memory" | "logs">,
  wanted: Remembrance,
): Promise<Result<void, ErrorCode | "LOG_MOVED">> {
  switch (wanted.kind) {
    case "mark":
      return memory.mark(wanted.runId, wanted.round, wanted.attempt);
    case "use":
      return memory.use(wanted);
    case "vote":
      return memory.vote(wanted.sid, wanted.setHash);
    case "reveal":
      // First, because a share that has left cannot be taken back, while a checkpoint that was seen forbids nothing.
      if (wanted.log !== null && !(await logs.see(wanted.log.logKey, wanted.log.before, wanted.log.seen)))
        return err("LOG_MOVED");
      return memory.reveal(wanted);
    default:
      return unreachable(wanted);
  }
}
