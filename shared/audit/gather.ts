import { merkleRoot } from "../crypto/merkle.ts";
import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok, type Result } from "../kernel/result.ts";
import type { LogRow } from "../log/row.ts";
import { confirmationsRoot } from "../secagg/confirmations-root.ts";
import { advertItem } from "../secagg/signed-items.ts";
import type { Task } from "../task/task.ts";
import type { CheckedSession } from "../transcript/check-session.ts";
import type { RoundClaims } from "../transcript/claims.ts";
import type { Fault } from "../transcript/fault.ts";
import type { Digest } from "../transcript/published-sums.ts";
import { readSession } from "../transcript/read-session.ts";
import { reproduceRound } from "../transcript/reproduce-round.ts";
import { headsOf, type StatedHead } from "../transcript/stated-head.ts";
import type { CheckedSignatures, RoundEvidence, SessionRoots } from "./evidence.ts";
import { claimsOfRecord, type RoundRecord } from "./record.ts";
import { type Records, roundsBefore } from "./rounds-before.ts";

/** Where the parts of a round come from: a coordinator, or a file. It is not trusted. Null if it has no such thing. */
export interface RoundSource extends Records {
  task(slug: string, version: number): Promise<Task | null>;
  /** The round's own log without names. */
  log(roundId: string): Promise<readonly LogRow[] | null>;
  sum(roundId: string): AsyncIterable<Uint8Array>;
  /** A model or a strategy's state. */
  blob(hash: string): Promise<Bytes | null>;
  transcript(roundId: string, shard: number): Promise<Bytes | null>;
  /** False if this reader may not read transcripts. */
  readonly showsTranscripts: boolean;
}

/** What was read and proved of the log. */
export type FromLog = Pick<RoundEvidence, "entries" | "read" | "sight">;

/** Fetches the parts of a round and does what needs their bytes: computes the next model again, and checks signatures. */
export async function gatherEvidence(
  primitives: Primitives,
  digest: () => Digest,
  source: RoundSource,
  record: RoundRecord,
  fromLog: FromLog,
): Promise<RoundEvidence> {
  const [task, log, run] = await Promise.all([
    source.task(record.task, record.taskVersion),
    source.log(record.roundId),
    source.run(record.runId),
  ]);
  const before = await roundsBefore(primitives, source, record);
  const claims = task === null ? null : claimsOfRecord(record, task, before);
  const [reproduced, signatures] = await Promise.all([
    claims === null ? null : reproduce(primitives, digest, source, record.roundId, claims),
    claims === null ? NOT_KEPT : checkSignatures(primitives, source, record.roundId, claims),
  ]);
  return { record, launchedBy: run?.launchedBy ?? null, task, log, reproduced, signatures, ...fromLog };
}

const NOT_KEPT = "not-kept" as const;

async function reproduce(
  primitives: Primitives,
  digest: () => Digest,
  source: RoundSource,
  roundId: string,
  claims: RoundClaims,
): Promise<Result<{ readonly isLinked: boolean }, Fault>> {
  const parts = { sum: () => source.sum(roundId), blob: (hash: string) => source.blob(hash) };
  return reproduceRound(primitives, claims, parts, { digest, report: () => {} });
}

async function checkSignatures(
  primitives: Primitives,
  source: RoundSource,
  roundId: string,
  claims: RoundClaims,
): Promise<RoundEvidence["signatures"]> {
  if (!source.showsTranscripts) return "not-shown";
  const sessions = new Map<string, SessionRoots>();
  const heads: StatedHead[] = [];
  let count = 0;
  for (const place of claims.shards.keys()) {
    const session = await readSession(
      {
        primitives,
        claims,
        source: { transcript: (shard) => source.transcript(roundId, shard) },
        pins: {},
        report: () => {},
      },
      place,
    );
    if (!session.ok) return session.error.code === "NOT_KEPT" ? "not-kept" : session;
    count += session.value.signatureCount;
    heads.push(...headsOf(session.value));
    sessions.set(session.value.roster.sidHex, await rootsOf(primitives, session.value));
  }
  return ok<CheckedSignatures>({ count, heads, sessions });
}

/** The roots that the log's entries commit to, over what the devices of a session signed. */
async function rootsOf(
  primitives: Primitives,
  { roster, inputsRoot, confirmations }: CheckedSession,
): Promise<SessionRoots> {
  const adverts = roster.members.map((member) => advertItem(roster.attempt.header, member));
  return {
    adverts: bytesToHex(await merkleRoot(primitives, adverts)),
    inputs: bytesToHex(inputsRoot),
    confirmations: bytesToHex(await confirmationsRoot(primitives, confirmations)),
  };
}
