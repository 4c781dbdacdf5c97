import { bytesToWords, wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { sealTo } from "#shared/crypto/sealed-box.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import { loggedInProject } from "#shared/project/log.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import type { PublishedTranscript, RoundOpened } from "#shared/round/event.ts";
import { isEndPhase } from "#shared/round/phases.ts";
import type { RoundState, Unmasking } from "#shared/round/state.ts";
import { hashedLeaf } from "#shared/secagg/bundle.ts";
import {
  EVIDENCE_SALT_BYTES,
  type Evidence,
  evidenceHash,
  sealEvidence,
} from "#shared/transcript/evidence.ts";
import { roundTranscriptHash } from "#shared/transcript/round-transcript.ts";
import {
  TRANSCRIPT_VERSION,
  transcriptDigest,
  transcriptToBytes,
} from "#shared/transcript/session-transcript.ts";
import { evidenceWords } from "#shared/vector/publish.ts";
import { MACHINE } from "../access/principal.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import type { Session } from "./session.ts";

/*
 * What a round leaves for an auditor. Every round hashes its transcript. The transcript is only kept, with
 * masked inputs, opening shares and evidence, if the coordinator was told to, and only for a task's newest
 * rounds.
 */

type TranscriptPorts = Pick<CoordinatorPorts, "primitives" | "store" | "keeping" | "random">;

export type SessionHash = PublishedTranscript["sessions"][number];

/**
 * Makes the transcript of a session whose sum is good, and stores it if it is to be kept.
 *
 * @param sum  Sum of its survivors, without masks.
 */
export async function keepTranscript(
  ports: TranscriptPorts,
  { task, layout }: RunTerms,
  state: Unmasking,
  session: Session,
  sum: Uint32Array,
): Promise<SessionHash> {
  const { sid, shard } = session;
  const evidence = await keepEvidence(ports, sid, evidenceWords(layout, sum));
  const bytes = await sessionTranscript(ports, session, state, evidence);
  if (ports.keeping !== null) {
    await ports.store.saveTranscript({ sid, roundId: state.facts.roundId, task: task.slug, shard, bytes });
  }
  return { shard, hash: await transcriptDigest(ports.primitives, bytes) };
}

/**
 * Salts the unpublished part of a sum. After a crash the stored salt is used again, so that the transcript is
 * the same. If nothing is kept, the salt is forgotten after this call.
 */
async function keepEvidence(
  { store, random, keeping }: TranscriptPorts,
  sid: string,
  words: Uint32Array<ArrayBuffer>,
): Promise<Evidence> {
  const salt = random(EVIDENCE_SALT_BYTES);
  if (keeping === null) return { salt, words };
  const stands = await store.saveEvidence(sid, { salt, words: wordsToBytes(words) });
  return { salt: stands.salt, words };
}

async function sessionTranscript(
  { primitives, store }: TranscriptPorts,
  session: Session,
  state: Unmasking,
  evidence: Evidence,
): Promise<Bytes> {
  const { roster } = session;
  const { runId, round, attempt, shard, config, roundParams, modelHash } = roster.attempt.terms;
  const sets = await session.sets(state);
  const bundles = await session.bundles();
  const rows = new Map((await store.listInputs(session.sid)).map((row) => [row.position, row]));
  return transcriptToBytes({
    type: "transcript",
    version: TRANSCRIPT_VERSION,
    runId,
    round,
    attempt,
    shard,
    config,
    roundParams,
    modelHash,
    sid: session.sid,
    members: roster.members.map(({ identity, c, s, bCommit, certificate, signature }) => {
      return { identity, c, s, bCommit, certificate, signature };
    }),
    u2: sets.u2.bitmap,
    u3: sets.u3.bitmap,
    bundles: await Promise.all(
      sets.u2.positions.map(async (dealer) => {
        const { leaves, signature } = present(bundles.get(dealer), "a bundle of each of U2");
        const hashed = await Promise.all(leaves.map((leaf) => hashedLeaf(primitives, leaf)));
        return { dealer, leaves: hashed, signature };
      }),
    ),
    inputs: sets.u3.positions.map((position) => {
      const { root, signature } = present(rows.get(position), "an input of each survivor");
      const log = state.inputs.get(session.seatOf(position))?.log;
      const signed = { root: hexToBytes(root), signature: hexToBytes(signature) };
      return { position, ...signed, ...(log === undefined ? {} : { log }) };
    }),
    confirmations: [...session.confirmations(state)],
    evidenceHash: await evidenceHash(primitives, roster.sid, evidence),
  });
}

/** What the round's log and page say about the transcript. */
export async function publishedTranscript(
  { primitives }: Pick<CoordinatorPorts, "primitives">,
  { strategySpec: strategy }: RunTerms,
  { runId, round, parentModelHash }: RoundOpened,
  made: {
    readonly parentStateHash: string | null;
    readonly strategyStateHash: string | null;
    readonly modelHash: string;
    readonly sumHash: string;
    readonly transcripts: readonly SessionHash[];
  },
): Promise<PublishedTranscript> {
  const { transcripts: sessions, parentStateHash } = made;
  const sessionHashes = sessions.map(({ hash }) => hash);
  const facts = { ...made, runId, round, parentModelHash, strategy, sessionHashes };
  return { hash: await roundTranscriptHash(primitives, facts), sessions, parentStateHash };
}

type KeepPorts = Pick<CoordinatorPorts, "primitives" | "store" | "spool" | "keeping" | "random">;

/**
 * Seals evidence and opening shares of a committed session to the auditor, and deletes the shares here. Its
 * masked inputs stay. Can be repeated after a crash. Rules A5, A8.
 *
 * @returns False if nothing is to be kept, so that all of the session is to be deleted.
 */
async function keepSession(ports: KeepPorts, sid: string, phase: RoundState["phase"]): Promise<boolean> {
  const { primitives, store, keeping, random } = ports;
  if (keeping === null || phase !== "committed") {
    await dropTranscript(store, sid);
    return false;
  }
  const kept = await store.listTranscripts();
  if (!kept.some((row) => row.sid === sid)) return false;
  const { auditorKey } = keeping;
  const evidence = await store.loadEvidence(sid);
  if (evidence !== null) {
    const { salt, words } = evidence;
    const open = { salt, words: bytesToWords(words) };
    const box = await sealEvidence(primitives, random, auditorKey, hexToBytes(sid), open);
    assert(box.ok, LOOKED_AT);
    await store.sealEvidence(sid, box.value);
  }
  const sealed = new Map<Position, Bytes>();
  for (const [position, message] of await store.loadMaterial(sid, "unmask")) {
    const context = { sid: hexToBytes(sid), position };
    const box = await sealTo(primitives, random, auditorKey, context, message);
    assert(box.ok, LOOKED_AT);
    message.fill(0);
    sealed.set(position, box.value);
  }
  await store.keepOpenings(sid, sealed);
  return true;
}

const LOOKED_AT = "the auditor's key was checked when the coordinator started";

/** Deletes evidence first, so that a crash in between leaves a transcript, which the next sweep finds. */
async function dropTranscript(store: KeepPorts["store"], sid: string): Promise<void> {
  await store.deleteEvidence(sid);
  await store.deleteTranscript(sid);
}

/** Deletes what is left of an ended round's last session, except what is kept for the auditor (S11). */
export async function forgetSession(
  ports: KeepPorts,
  sid: string,
  phase: RoundState["phase"],
): Promise<void> {
  if (await keepSession(ports, sid, phase)) return;
  await ports.store.deleteMaterial(sid);
  await ports.spool.discard(sid);
}

/**
 * Deletes what is kept of rounds, except each task's newest committed ones; all of it if nothing is to be
 * kept. A live round's transcript is neither counted nor deleted: the round may still be voided, and would
 * have displaced the last committed one. Rule A5.
 */
export async function sweepTranscripts(
  ports: Pick<CoordinatorPorts, "store" | "spool" | "keeping" | "wall" | "projectId">,
): Promise<void> {
  const rounds = ports.keeping?.rounds ?? 0;
  const newest = new Map<string, Set<string>>();
  const sidsByTask = new Map<TaskSlug, string[]>();
  for (const { sid, roundId, task, phase } of await ports.store.listTranscripts()) {
    const kept = newest.get(task) ?? new Set();
    newest.set(task, kept);
    // A live round's inputs are still to be added, whether or not they are kept afterwards.
    if (phase === null ? rounds > 0 : !isEndPhase(phase)) continue;
    if (phase === "committed" && (kept.has(roundId) || kept.size < rounds)) kept.add(roundId);
    else sidsByTask.set(task as TaskSlug, [...(sidsByTask.get(task as TaskSlug) ?? []), sid]);
  }
  for (const [slug, sids] of sidsByTask) await dropKept(ports, slug, sids);
}

/**
 * The rows that name the files go last: a deletion that was cut short before the log had it is done, and counted, again
 * (A80).
 */
async function dropKept(
  { store, spool, wall, projectId: home }: Parameters<typeof sweepTranscripts>[0],
  slug: TaskSlug,
  sids: readonly string[],
): Promise<void> {
  for (const sid of sids) await spool.discard(sid);
  const projectId = (await store.findTask(slug))?.projectId ?? home;
  const count = sids.length;
  const event = loggedInProject({ type: "transcripts-deleted", slug, count, actor: MACHINE });
  const written = await store.appendNext(
    { kind: "project", id: projectId },
    { at: wall.nowUnixMs(), event },
    [
      {
        type: "audit-leaf",
        kind: "deletion.performed",
        body: { version: 1, what: "transcripts", count, slug },
        actor: MACHINE,
      },
    ],
  );
  assert(written.ok, "transcripts are deleted, no task is made");
  for (const sid of sids) await dropTranscript(store, sid);
}
