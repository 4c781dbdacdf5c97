import { unreachable } from "#shared/kernel/assert.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { Remembrance } from "#shared/secagg/client-state.ts";
import type { ClientPorts, Memory } from "../ports.ts";

/** A disk that takes longer than this to write a line is too slow for the round. */
const WRITE_MS_MAX = 20_000;

/**
 * Does the durable write that the engine asks for.
 * Errors: the memory's own, and `STORAGE_FULL` if the write is not
 * known to be durable in time. A write that completes later only forbids what was never sent. Rule T4.
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
