import { auditRound } from "#shared/audit/audit-round.ts";
import { recording } from "#shared/audit/bundle.ts";
import type { RoundEvidence } from "#shared/audit/evidence.ts";
import type { RoundSource } from "#shared/audit/gather.ts";
import { lookAtLog, type ShownLog } from "#shared/audit/look.ts";
import { sha256Stream } from "#shared/crypto/sha256-sync.ts";
import { type Bytes, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { formatVerifierKey } from "#shared/tlog/note.ts";
import type { Coordinator } from "../coordinator.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

type AuditPorts = Pick<CoordinatorPorts, "store" | "primitives" | "publicLog" | "blobs">;
type AuditCore = Pick<Coordinator, "auditLog" | "rounds" | "runs" | "tasks">;

/** What an audit of a round says, and the file with which anyone makes it again. */
export interface AuditedForAssessor {
  readonly statements: Awaited<ReturnType<typeof auditRound>>["statements"];
  /** For `npm run log -- verify`. */
  readonly bundle: Bytes;
}

/**
 * Audits an ended round as its readers can, without transcripts, over the entries from the launch of its run to the last about
 * it. Null without a log, and before a checkpoint has these entries.
 */
export async function auditForAssessor(
  ports: AuditPorts,
  core: AuditCore,
  record: RoundDetail,
): Promise<AuditedForAssessor | null> {
  const { primitives, publicLog } = ports;
  const [view, note] = [await core.auditLog.logView(), publicLog?.checkpoint() ?? null];
  const range = await entriesOf(ports, record);
  if (publicLog == null || view === null || note === null || range === null) return null;
  const keys = publicLog.witnesses().map(({ key }) => key);
  const shown: ShownLog = {
    origin: view.origin,
    key: hexToBytes(view.key),
    note,
    witnesses: keys,
    rotations: view.rotations,
  };
  const kept = recording(sourceOver(ports, core), (path) => publicLog.file(path));
  const look = await lookAtLog(primitives, shown, kept.read, null);
  // As written down, so that the file has it.
  const recorded = await kept.source.round(record.roundId);
  if (recorded === null || look.sight.size < range.to) return null;
  const { statements, evidence } = await auditRound(primitives, sha256Stream, kept.source, recorded, look, {
    from: range.from,
    within: range,
  });
  const witnesses = keys.map(formatVerifierKey);
  const of = { roundId: record.roundId, shown, witnesses, from: range.from, read: evidence.read };
  // No clock: the same state gives the same bytes.
  return { statements, bundle: utf8(JSON.stringify(kept.bundle(of, record.endedAt ?? record.openedAt))) };
}

/** The entries from the launch of the round's run to the last one about the round; null if there are none. */
async function entriesOf(
  { store }: Pick<AuditPorts, "store">,
  { runId, roundId, modelHash }: RoundDetail,
): Promise<RoundEvidence["read"] | null> {
  const launched = (await store.findLeaves("run.launched", runId)).at(0);
  const ended = [
    ...(await store.findLeaves("round.aborted", roundId)),
    ...(modelHash === null ? [] : await store.findLeaves("model.published", modelHash)),
  ];
  const last = ended.at(-1);
  return launched === undefined || last === undefined
    ? null
    : { from: launched.sequence - 1, to: last.sequence };
}

/** A round as those see it who may read its run. */
function sourceOver({ blobs }: AuditPorts, { rounds, runs, tasks }: AuditCore): RoundSource {
  return {
    showsTranscripts: false,
    round: (roundId) => rounds.roundDetail(roundId),
    run: async (runId) => {
      const view = await runs.runView(runId);
      if (view === null) return null;
      const { seed, beginsWith, launchedBy } = view;
      return { runId, seed, launchedBy, ...(beginsWith === undefined ? {} : { beginsWith }) };
    },
    task: async (slug, version) => (await tasks.taskView(slug, version))?.task ?? null,
    log: (roundId) => rounds.namelessLog(roundId),
    sum: async function* (roundId) {
      const hash = await rounds.publishedSumHash(roundId);
      const stream = hash === null ? null : await blobs.stream(hash);
      if (stream !== null) yield* stream;
    },
    blob: (hash) => blobs.get(hash),
    transcript: async () => null,
  };
}
