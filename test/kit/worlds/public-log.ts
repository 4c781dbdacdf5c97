import * as nodeCrypto from "node:crypto";
import { checkLog } from "#coordinator/core/audit/check-log.ts";
import { Sequencer, type SequencerPorts } from "#coordinator/core/audit/sequencer.ts";
import type { LeafStore } from "#coordinator/core/ports/leaf-store.ts";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { after, monotonicClock, randomBytes } from "#shared/node/system.ts";
import { memoryLogFiles } from "../fakes/memory-log-files.ts";

export const LOG_ORIGIN = "log.example/test";
export const logSigner: Signer = localSigner(new Uint8Array(32).fill(41));
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

/** A log beside a store: a sequencer that has begun, in memory unless files are given. */
export function openTestLog(store: LeafStore, change: Partial<SequencerPorts> = {}): Sequencer {
  const files = change.files ?? memoryLogFiles();
  const primitives = nodePrimitives(nodeCrypto, Buffer);
  const log = new Sequencer({
    store,
    files,
    check: { run: (head) => checkLog({ primitives, files }, head), close: async () => {} },
    primitives,
    key: { origin: LOG_ORIGIN, publicKey: logSigner.publicKey },
    signers: [logSigner],
    witnesses: [],
    settleKey: async () => {},
    clock: monotonicClock,
    random: randomBytes,
    after,
    log: quiet,
    ...change,
  });
  log.start();
  return log;
}
