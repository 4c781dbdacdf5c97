import { createHash } from "node:crypto";
import type { ProvedEntry, RoundEvidence } from "#shared/audit/evidence.ts";
import { gatherEvidence, type RoundSource } from "#shared/audit/gather.ts";
import { namelessLog } from "#shared/audit/nameless-log.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { Federation, type FederationOptions } from "./federation.ts";

/* A federation's round as an audit sees it, without an adapter between: what is served, and all entries of its log. */

/** Seven devices, two rounds, everything kept. */
export async function auditedFederation(
  auditorKey: Uint8Array<ArrayBuffer>,
  options: Partial<FederationOptions> = {},
): Promise<{ readonly federation: Federation; readonly rounds: readonly RoundDetail[] }> {
  const federation = await Federation.create({
    devices: 7,
    keeping: { rounds: 1, auditorKey },
    ...options,
  });
  federation.connectAll();
  const runId = await federation.launch(2);
  await federation.ended(runId);
  return { federation, rounds: await federation.rounds(runId) };
}

/** What a federation serves of its rounds. */
export function roundSourceOf(federation: Federation): RoundSource {
  const { coordinator, db, disk } = federation;
  return {
    showsTranscripts: true,
    round: (roundId) => coordinator.rounds.roundDetail(roundId),
    run: async (runId) => {
      const view = await coordinator.runs.runView(runId);
      if (view === null) return null;
      const { seed, beginsWith, launchedBy } = view;
      return { runId, seed, launchedBy, ...(beginsWith === undefined ? {} : { beginsWith }) };
    },
    task: async () => federation.task,
    log: async (roundId) => {
      const log = namelessLog(await federation.ports.store.readStream({ kind: "round", id: roundId }));
      assert(log.ok, "a round's log reads");
      return log.value;
    },
    sum: async function* (roundId) {
      const detail = await coordinator.rounds.roundDetail(roundId);
      const bytes = disk.blobs.get(detail?.sumHash ?? "");
      if (bytes !== undefined) yield bytes;
    },
    blob: async (hash) => disk.blobs.get(hash)?.slice() ?? null,
    transcript: async (roundId, shard) =>
      [...db.transcripts.values()].find((row) => row.roundId === roundId && row.shard === shard)?.bytes ??
      null,
  };
}

/** The entries that a federation has staged, as if each had been proved. */
export function entriesOf({ db }: Federation): readonly ProvedEntry[] {
  return db.leaves.map(({ kind, body }, index) => {
    assert(typeof body === "object" && body !== null, "a leaf is an object");
    return { index, kind, at: null, body: { ...body } };
  });
}

export function evidenceOf(
  primitives: Primitives,
  federation: Federation,
  record: RoundDetail,
): Promise<RoundEvidence> {
  const entries = entriesOf(federation);
  const size = entries.length;
  const sight = { size, witnesses: [], witnessCount: 0, seenSize: null, contradiction: null };
  return gatherEvidence(primitives, nodeDigest, roundSourceOf(federation), record, {
    entries,
    read: { from: 0, to: size },
    sight,
  });
}

export function nodeDigest() {
  const hash = createHash("sha256");
  return { update: (bytes: Uint8Array) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

/** Evidence in which one entry of a kind is changed. */
export function withEntry(
  evidence: RoundEvidence,
  kind: string,
  change: Readonly<Record<string, unknown>>,
): RoundEvidence {
  const changed = present(
    evidence.entries.findLast((entry) => entry.kind === kind),
    `an entry ${kind}`,
  );
  const entries = evidence.entries.map((entry) =>
    entry === changed ? { ...entry, body: { ...entry.body, ...change } } : entry,
  );
  return { ...evidence, entries };
}
