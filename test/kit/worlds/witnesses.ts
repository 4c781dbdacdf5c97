import { answerOf } from "#coordinator/adapters/witness/witness-server.ts";
import { Witness, type WitnessMemory } from "#coordinator/core/audit/witness.ts";
import type { WitnessPort, WitnessReply } from "#coordinator/core/ports/witnesses.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { primitives } from "#shared/node/system.ts";
import { SIGNATURE_TYPES, type VerifierKey, verifierKey } from "#shared/tlog/note.ts";

export interface MemoryWitnessMemory extends WitnessMemory {
  readonly notes: Map<string, string>;
  readonly splits: Map<string, readonly [string, string]>;
}

export function witnessMemory(): MemoryWitnessMemory {
  const notes = new Map<string, string>();
  const splits = new Map<string, readonly [string, string]>();
  return {
    notes,
    splits,
    latest: async (origin) => notes.get(origin) ?? null,
    keep: async (origin, note) => void notes.set(origin, note),
    keepSplit: async (origin, pair) => void splits.set(origin, pair),
  };
}

/** Its clock stands at this many seconds since 1970. */
export const WITNESS_TIME_S = 1_700_000_000;

/** A real witness, asked without a network. */
export class TestWitness implements WitnessPort {
  readonly key: VerifierKey;
  readonly signer: Signer;
  readonly memory: MemoryWitnessMemory;
  readonly witness: Witness;
  /** What it was asked, the newest last. */
  readonly bodies: string[] = [];
  /** Replaces its answer; undefined answers truly. */
  answer: (body: string) => Promise<WitnessReply | undefined> = async () => undefined;

  private constructor(
    key: VerifierKey,
    signer: Signer,
    logs: readonly VerifierKey[],
    memory = witnessMemory(),
  ) {
    this.key = key;
    this.signer = signer;
    this.memory = memory;
    const wall = { nowUnixMs: () => WITNESS_TIME_S * 1_000 };
    this.witness = new Witness({ primitives, memory, wall, signer, name: key.name, logs });
  }

  static async make(
    name: string,
    logs: readonly VerifierKey[],
    memory?: MemoryWitnessMemory,
  ): Promise<TestWitness> {
    const signer = localSigner(await primitives.sha256(new TextEncoder().encode(name)));
    const key = await verifierKey(primitives, name, SIGNATURE_TYPES.cosignature, signer.publicKey);
    return new TestWitness(key, signer, logs, memory);
  }

  async addCheckpoint(body: string): Promise<WitnessReply> {
    this.bodies.push(body);
    const planned = await this.answer(body);
    if (planned !== undefined) return planned;
    const {
      status,
      body: text,
      contentType = "text/plain",
    } = answerOf(await this.witness.addCheckpoint(body));
    return { type: "answer", status, mediaType: contentType, text };
  }
}
