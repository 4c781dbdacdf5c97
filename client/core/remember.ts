import { unreachable } from "#shared/kernel/assert.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { Remembrance } from "#shared/secagg/client-state.ts";
import type { Memory } from "./ports.ts";

/** The durable write that the engine asks for. Errors: the memory's own, and `STORAGE_FULL` where it is not known to be durable. */
export async function remember(memory: Memory, wanted: Remembrance): Promise<Result<void, ErrorCode>> {
  try {
    switch (wanted.kind) {
      case "mark":
        return await memory.mark(wanted.runId, wanted.round, wanted.attempt);
      case "use":
        return await memory.use(wanted);
      case "vote":
        return await memory.vote(wanted.sid, wanted.setHash);
      case "reveal":
        return await memory.reveal(wanted);
      default:
        return unreachable(wanted);
    }
  } catch {
    return err("STORAGE_FULL");
  }
}
