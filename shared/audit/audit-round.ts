import type { Primitives } from "../kernel/ports.ts";
import type { Digest } from "../transcript/published-sums.ts";
import type { LogSight, RoundEvidence } from "./evidence.ts";
import { gatherEvidence, type RoundSource } from "./gather.ts";
import { type Look, tileFault } from "./look.ts";
import { type Reading, readEntries } from "./read-entries.ts";
import type { RoundRecord } from "./record.ts";
import { deniedHead } from "./stated-heads.ts";
import type { Statement } from "./statement.ts";
import { statementsOn } from "./statements.ts";

export interface AuditedRound {
  readonly evidence: RoundEvidence;
  readonly statements: readonly Statement[];
}

/**
 * Audits one round against its log: reads the entries, gathers the round's parts, and judges each statement.
 *
 */
export async function auditRound(
  primitives: Primitives,
  digest: () => Digest,
  source: RoundSource,
  record: RoundRecord,
  look: Look,
  reading: Reading,
): Promise<AuditedRound> {
  const read = look.log === null ? null : await readEntries(look.log.tree, reading);
  const fault = read === null || read.ok ? null : tileFault(read.error);
  const sight = fault === null ? look.sight : { ...look.sight, contradiction: fault };
  const nothing = { entries: [], read: { from: 0, to: 0 } };
  const evidence = await gatherEvidence(primitives, digest, source, record, {
    ...(read?.ok === true ? read.value : nothing),
    sight,
  });
  const held = { ...evidence, sight: await withStated(look, evidence) };
  return { evidence: held, statements: await statementsOn(primitives, held) };
}

/** What devices signed of the log, held against it. Rule A110. */
async function withStated({ log }: Look, { sight, signatures }: RoundEvidence): Promise<LogSight> {
  if (typeof signatures === "string" || !signatures.ok || log === null) return sight;
  const { heads } = signatures.value;
  if (heads.length === 0 || sight.contradiction !== null) return sight;
  const held = await deniedHead(log.tree, heads);
  return held.ok ? { ...sight, statedCount: heads.length } : { ...sight, contradiction: held.error.sentence };
}
