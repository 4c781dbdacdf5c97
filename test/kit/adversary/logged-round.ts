import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { HashHex, RunId } from "#shared/protocol/ids.ts";
import type { LogProofMessage } from "#shared/protocol/messages/log-proof.ts";
import { configHash, roundIdOf } from "#shared/secagg/attempt.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import type { LeafBody } from "#shared/tlog/leaf-kinds.ts";
import { testConfig } from "../secagg-fixtures.ts";
import { MemoryLog } from "../tlog.ts";

/** A coordinator's log around one round. Honest unless its test adds something else, forks it or shows it wrongly. */
export class LoggedRound {
  readonly log: MemoryLog;
  readonly config: AgreedConfig;
  readonly invite: { readonly runId: RunId; readonly round: number; readonly modelHash: HashHex };
  readonly #primitives: Primitives;

  /** @param config  What differs from that of every test. */
  constructor(primitives: Primitives, config: Partial<AgreedConfig> = {}, log = new MemoryLog(primitives)) {
    this.#primitives = primitives;
    this.log = log;
    const logKey = bytesToHex(log.publicKey) as HashHex;
    this.config = testConfig({ vectorLength: 8, logKey, logOrigin: log.origin, ...config });
    this.invite = {
      runId: "0192f0c0ffee7000800000000000beef" as RunId,
      round: 1,
      modelHash: "33".repeat(32) as HashHex,
    };
  }

  /** @returns The index of the leaf. */
  async publishTask(change: Partial<LeafBody<"task.published">> = {}): Promise<number> {
    const { task: slug, taskVersion, taskHash } = this.config;
    const body = { slug, taskVersion, taskHash, configHash: await this.configHash() };
    return this.log.add("task.published", { ...body, ...change });
  }

  async openRound(change: Partial<LeafBody<"round.opened">> = {}): Promise<number> {
    const { runId, round, modelHash } = this.invite;
    const roundId = await roundIdOf(this.#primitives, runId, round);
    const { codeVersion } = this.config;
    const body = { roundId, configHash: await this.configHash(), modelHash, codeVersion, dp: null };
    return this.log.add("round.opened", { ...body, ...change });
  }

  async signSurvivors(sets: Pick<LeafBody<"survivors.signed">, "sid" | "u2" | "u3" | "signatureRoot">) {
    const { runId, round } = this.invite;
    const roundId = await roundIdOf(this.#primitives, runId, round);
    return this.log.add("survivors.signed", { roundId, ...sets });
  }

  async configHash(): Promise<string> {
    return bytesToHex(await configHash(this.#primitives, this.config));
  }

  /** As a message carries it. @param log  Another one than the honest. */
  async proof(from: number, indexes: readonly number[], log = this.log): Promise<LogProofMessage> {
    const { checkpoint, consistency, leaves, rotations } = await log.proof(from, indexes);
    const own = ({ index, leaf, path }: (typeof leaves)[number]) => ({ index, leaf, path: [...path] });
    return {
      from,
      checkpoint,
      consistency: [...consistency],
      leaves: leaves.map(own),
      rotations: rotations.map(own),
    };
  }

  /** What a device has seen that was shown the log as it is now. */
  async seen(log = this.log): Promise<SeenLog> {
    const { size, root } = await log.head();
    const key = bytesToHex(log.publicKey) as HashHex;
    return { size, root: bytesToHex(root) as HashHex, key, checkpoint: await log.checkpoint() };
  }
}
