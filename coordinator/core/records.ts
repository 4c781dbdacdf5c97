import { merkleRoot } from "#shared/crypto/merkle.ts";
import { assert } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { RoundRecord } from "#shared/round/effect.ts";
import { type RoundState, wasOpened } from "#shared/round/state.ts";
import { confirmationsRoot } from "#shared/secagg/opening.ts";
import { advertItem } from "#shared/secagg/signed-items.ts";
import { confirmationList } from "./messages.ts";
import type { CoordinatorPorts, StoreRecord } from "./ports.ts";
import { type Session, survivorsTree } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { RunTerms } from "./terms.ts";

export interface RecordSource {
  readonly ports: Pick<CoordinatorPorts, "primitives" | "codeVersion">;
  readonly terms: RunTerms;
  readonly slots: Slots;
  /** After the event. */
  readonly state: RoundState;
  /** Of the attempt given; every attempt that has slots has a session. */
  readonly session: (attempt: number) => Promise<Session>;
}

/** What the store writes beside the event. Hashes over what is not in the state are made here. */
export async function storeRecord(source: RecordSource, record: RoundRecord): Promise<StoreRecord> {
  const { state, terms } = source;
  const { facts } = state;
  switch (record.type) {
    case "model-opened": {
      const { sid } = await source.session(state.attempt);
      return { type: "model-opened", modelHash: facts.parentModelHash, sid };
    }
    case "open-slots": {
      const { sid } = await source.session(state.attempt);
      const byteCount = 4 * terms.layout.length;
      return { type: "open-slots", sid, byteCount, slots: await source.slots.rows(sid, record.positions) };
    }
    case "close-slots": {
      const { sid } = await source.session(record.attempt);
      return { type: "close-slots", sid, kept: record.kept };
    }
    case "model-version": {
      assert(state.phase === "committed", "a version is published with its round");
      const { modelHash, strategyStateHash, metrics } = state.publication;
      const { runId, round, parentModelHash: parentHash } = facts;
      return {
        type: "model-version",
        version: { runId, round, modelHash, parentHash, strategyStateHash, metrics },
      };
    }
    case "audit-leaf":
      return {
        type: "audit-leaf",
        kind: record.kind,
        body: { version: 1, ...(await leafBody(source, record.kind)) },
      };
  }
}

/** Leaves carry hashes and counts, never a device. TRUST section 1. */
async function leafBody(
  source: RecordSource,
  kind: Extract<RoundRecord, { type: "audit-leaf" }>["kind"],
): Promise<Readonly<Record<string, unknown>>> {
  const { state, ports } = source;
  const { roundId, configHash, parentModelHash } = state.facts;
  const session = () => source.session(state.attempt);
  switch (kind) {
    case "round.opened":
      return { roundId, configHash, modelHash: parentModelHash, codeVersion: ports.codeVersion, dp: null };
    case "cohort.sealed": {
      const { roster, sid } = await session();
      const adverts = roster.members.map((member) => advertItem(roster.attempt.header, member));
      const root = bytesToHex(await merkleRoot(ports.primitives, adverts));
      return { roundId, sid, n: roster.members.length, threshold: roster.thresholds.t, merkleRoot: root };
    }
    case "inputs.sealed": {
      assert("u3" in state, "U3 is sealed");
      const { root } = await survivorsTree(ports, state.u3, state.inputs);
      return {
        roundId,
        sid: (await session()).sid,
        survivors: state.u3.length,
        merkleRoot: bytesToHex(root),
      };
    }
    case "survivors.signed": {
      assert(state.phase === "unmasking", "the opening is asked for");
      const current = await session();
      const { u2, u3 } = await current.sets(state);
      const root = await confirmationsRoot(ports.primitives, confirmationList(state.confirmations));
      const [u2Hash, u3Hash] = [bytesToHex(u2.hash), bytesToHex(u3.hash)];
      return { roundId, sid: current.sid, u2: u2Hash, u3: u3Hash, signatureRoot: bytesToHex(root) };
    }
    case "round.unmasked":
      assert(state.phase === "committed", "the sum is published");
      return { roundId, sid: (await session()).sid, sumHash: state.publication.sumHash };
    case "round.aborted":
      assert(state.phase === "failed" || state.phase === "voided", "the round was given up");
      return { roundId, code: state.code, opened: wasOpened(state) };
    case "model.published": {
      assert(state.phase === "committed", "the sum is published");
      const { runId, round } = state.facts;
      return { runId, round, modelHash: state.publication.modelHash, parentHash: parentModelHash };
    }
  }
}
