import { merkleRoot } from "#shared/crypto/merkle.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { AuditKind, StatedRecord } from "#shared/round/effect.ts";
import { type RoundState, wasOpened } from "#shared/round/state.ts";
import { confirmationsRoot } from "#shared/secagg/confirmations-root.ts";
import { advertItem } from "#shared/secagg/signed-items.ts";
import type { CoordinatorPorts, StoreRecord } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { keptSessions, type Session } from "./session.ts";
import type { Slots } from "./slots.ts";

export interface RecordSource {
  readonly ports: Pick<CoordinatorPorts, "primitives" | "codeVersion" | "code">;
  readonly terms: {
    readonly task: Pick<RunTerms["task"], "slug">;
    readonly layout: Pick<RunTerms["layout"], "length">;
  };
  readonly slots: Slots;
  /** Sessions of an attempt, opened from the given state if new. Every attempt with slots has sessions. */
  readonly sessions: (attempt: number, state: RoundState) => Promise<readonly Session[]>;
}

/** The source of a record and the state it describes. */
interface StatedSource extends RecordSource {
  readonly state: RoundState;
}

/** What the store writes beside the event. Hashes over data outside the state are made here. */
export async function storeRecords(
  from: RecordSource,
  { record, state }: StatedRecord,
): Promise<StoreRecord[]> {
  const source = { ...from, state };
  const { terms } = source;
  const { facts } = state;
  switch (record.type) {
    case "model-opened": {
      const [first] = await keptOf(source);
      const { sid } = present(first, "a session that is opened");
      return [{ type: "model-opened", modelHash: facts.parentModelHash, sid }];
    }
    case "open-slots": {
      const byteCount = 4 * terms.layout.length;
      return Promise.all(
        (await keptOf(source)).map(async (session) => {
          const slots = await source.slots.rows(session.sid, session.positionsIn(record.seats));
          return { type: "open-slots", sid: session.sid, byteCount, slots } as const;
        }),
      );
    }
    case "close-slots": {
      const sessions = await source.sessions(record.attempt, state);
      return sessions.map((session) => {
        return { type: "close-slots", sid: session.sid, kept: session.positionsIn(record.kept) };
      });
    }
    case "model-version": {
      assert(state.phase === "committed", "a version is published with its round");
      const { modelHash, strategyStateHash, metrics } = state.publication;
      const { runId, round, parentModelHash: parentHash } = facts;
      const shown = { ...metrics, survivors: state.u3.length };
      const version = { runId, round, modelHash, parentHash, strategyStateHash, metrics: shown };
      return [{ type: "model-version", version, numberedIn: terms.task.slug }];
    }
    case "audit-leaf": {
      const { kind } = record;
      const bodies = await leafBodies(source, kind);
      return bodies.map((body) => ({ type: "audit-leaf", kind, body: { version: 1, ...body } }));
    }
  }
}

/** Sessions of the current attempt whose shards are in the round. */
async function keptOf({ state, sessions }: StatedSource): Promise<readonly Session[]> {
  assert("shards" in state, "there is a roster");
  return keptSessions(await sessions(state.attempt, state), state);
}

type LeafBody = Readonly<Record<string, unknown>>;

/**
 * Bodies of audit leaves, with hashes and counts but no devices. Facts about a session have one leaf per
 * shard.
 */
async function leafBodies(source: StatedSource, kind: AuditKind): Promise<readonly LeafBody[]> {
  const { state, ports } = source;
  const { roundId, configHash, parentModelHash } = state.facts;
  switch (kind) {
    case "round.opened":
      return [
        {
          roundId,
          configHash,
          modelHash: parentModelHash,
          codeVersion: ports.codeVersion,
          codeHash: ports.code.hash,
          dp: null,
        },
      ];
    case "round.aborted":
      assert(state.phase === "failed" || state.phase === "voided", "the round was given up");
      return [{ roundId, code: state.code, opened: wasOpened(state) }];
    case "model.published": {
      assert(state.phase === "committed", "the sum is published");
      const { runId, round } = state.facts;
      return [{ runId, round, modelHash: state.publication.modelHash, parentHash: parentModelHash }];
    }
    default: {
      const sessions = await keptOf(source);
      return Promise.all(sessions.map((session) => sessionLeaf(source, session, kind)));
    }
  }
}

async function sessionLeaf(
  { state, ports }: StatedSource,
  session: Session,
  kind: Exclude<AuditKind, "round.opened" | "round.aborted" | "model.published">,
): Promise<LeafBody> {
  const { roster, sid, shard } = session;
  // The leaf of a round with a single sum keeps its original form.
  const named = { roundId: state.facts.roundId, sid, ...(state.shardCount > 1 ? { shard } : {}) };
  switch (kind) {
    case "cohort.sealed": {
      const adverts = roster.members.map((member) => advertItem(roster.attempt.header, member));
      const root = bytesToHex(await merkleRoot(ports.primitives, adverts));
      return { ...named, n: roster.members.length, threshold: roster.thresholds.t, merkleRoot: root };
    }
    case "inputs.sealed": {
      assert("u3" in state, "U3 is sealed");
      const { root, size } = await session.survivorsTree(state);
      return { ...named, survivors: size, merkleRoot: bytesToHex(root) };
    }
    case "survivors.signed": {
      assert(state.phase === "unmasking", "the opening is asked for");
      const { u2, u3 } = await session.sets(state);
      const root = await confirmationsRoot(ports.primitives, session.confirmations(state));
      const [u2Hash, u3Hash] = [bytesToHex(u2.hash), bytesToHex(u3.hash)];
      return { ...named, u2: u2Hash, u3: u3Hash, signatureRoot: bytesToHex(root) };
    }
    case "round.unmasked":
      assert(state.phase === "committed", "the sum is published");
      return { ...named, sumHash: state.publication.sumHash };
  }
}
