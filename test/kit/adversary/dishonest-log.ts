import { present } from "#shared/kernel/assert.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { LogProofMessage } from "#shared/protocol/messages/log-proof.ts";
import { parseLeaf } from "#shared/tlog/leaf.ts";
import type { MemoryPublicLog } from "../fakes/memory-public-log.ts";
import { MemoryLog } from "../tlog.ts";

/*
 * A coordinator that runs rounds by the book and shows a device something else than its log. Each script changes the proof of
 * one kind of message, from the second round on, when the device has seen the honest log.
 */

type Proved = "invite" | "open";

/** What the honest coordinator shows, and the log that it is from. */
interface Shown {
  readonly proof: LogProofMessage;
  readonly log: MemoryLog;
  readonly primitives: Primitives;
  /** Proofs of the same kind of message in earlier rounds, oldest first. */
  readonly earlier: readonly LogProofMessage[];
}

export interface DishonestLog {
  readonly name: string;
  readonly at: Proved;
  /** What the device states; null if it takes part as usual. */
  readonly stoppedBy: "NOT_LOGGED" | "LOG_CONTRADICTED" | null;
  /** Undefined: no proof at all. */
  readonly shows: (shown: Shown) => Promise<LogProofMessage | undefined>;
}

/** Other leaves under the same key, with the honest ones where a device looks for them. */
async function splitLog({ log, primitives }: Shown, seed?: Uint8Array<ArrayBuffer>): Promise<MemoryLog> {
  const other = new MemoryLog(primitives, log.origin, seed);
  const [, ...rest] = log.leaves;
  await other.addBytes(utf8('{"made":"up"}'), ...rest);
  return other;
}

async function proofOf(log: MemoryLog, { from, leaves }: LogProofMessage): Promise<LogProofMessage> {
  const indexes = leaves.map(({ index }) => index);
  const made = await log.proof(from === 0 ? null : from, indexes);
  const own = ({ index, leaf, path }: (typeof made.leaves)[number]) => ({ index, leaf, path: [...path] });
  const { checkpoint, consistency, rotations } = made;
  return {
    from,
    checkpoint,
    consistency: [...consistency],
    leaves: made.leaves.map(own),
    rotations: rotations.map(own),
  };
}

const without =
  (kind: string): DishonestLog["shows"] =>
  async ({ proof }) => {
    const leaves = proof.leaves.filter(({ leaf }) => {
      const read = parseLeaf(leaf);
      return read.ok && read.value.kind !== kind;
    });
    return { ...proof, leaves };
  };

const split: DishonestLog["shows"] = async (shown) => proofOf(await splitLog(shown), shown.proof);
const foreign: DishonestLog["shows"] = async (shown) =>
  proofOf(await splitLog(shown, new Uint8Array(32).fill(9)), shown.proof);
const replayed: DishonestLog["shows"] = async ({ earlier }) => present(earlier[0], "an earlier round");
/** The log as it was, as if the device had asked for that. */
const rolledBack: DishonestLog["shows"] = async (shown) => {
  return { ...(await replayed(shown)), from: shown.proof.from } as LogProofMessage;
};
/** Says that the device had asked for another start, so that a split would look like a mistake. */
const foreignStart: DishonestLog["shows"] = async (shown) => {
  const proof = (await split(shown)) as LogProofMessage;
  return { ...proof, from: proof.from - 1 };
};
/** The newest checkpoint, and the leaves of the round before. */
const ofOtherRound: DishonestLog["shows"] = async ({ proof, log, earlier }) =>
  proofOf(log, { ...proof, leaves: present(earlier[0], "an earlier round").leaves });

export const DISHONEST_LOGS: readonly DishonestLog[] = [
  { name: "forks", at: "invite", stoppedBy: "LOG_CONTRADICTED", shows: split },
  { name: "rolls back, with an old proof", at: "invite", stoppedBy: "LOG_CONTRADICTED", shows: rolledBack },
  { name: "forks, with a foreign start", at: "invite", stoppedBy: "NOT_LOGGED", shows: foreignStart },
  { name: "gives no proof", at: "invite", stoppedBy: "NOT_LOGGED", shows: async () => undefined },
  {
    name: "withholds the task's leaf",
    at: "invite",
    stoppedBy: "NOT_LOGGED",
    shows: without("task.published"),
  },
  {
    name: "withholds the round's leaf",
    at: "invite",
    stoppedBy: "NOT_LOGGED",
    shows: without("round.opened"),
  },
  { name: "proves another round", at: "invite", stoppedBy: "NOT_LOGGED", shows: ofOtherRound },
  { name: "signs with another key", at: "invite", stoppedBy: "NOT_LOGGED", shows: foreign },
  { name: "forks before the opening", at: "open", stoppedBy: "LOG_CONTRADICTED", shows: split },
  {
    name: "rolls back before the opening, with an old proof",
    at: "open",
    stoppedBy: "LOG_CONTRADICTED",
    shows: rolledBack,
  },
  { name: "repeats an old proof before the opening", at: "open", stoppedBy: "NOT_LOGGED", shows: replayed },
  {
    name: "gives no proof of the survivors",
    at: "open",
    stoppedBy: "NOT_LOGGED",
    shows: async () => undefined,
  },
  {
    name: "withholds the survivors' leaf",
    at: "open",
    stoppedBy: "NOT_LOGGED",
    shows: without("survivors.signed"),
  },
  { name: "proves the survivors of another round", at: "open", stoppedBy: "NOT_LOGGED", shows: ofOtherRound },
  { name: "signs with another key before the opening", at: "open", stoppedBy: "NOT_LOGGED", shows: foreign },
  // Positive controls: the same script around an honest proof.
  { name: "is honest", at: "invite", stoppedBy: null, shows: async ({ proof }) => proof },
  { name: "is honest at the opening", at: "open", stoppedBy: null, shows: async ({ proof }) => proof },
];

/** What becomes of messages to one device. @param round  From which the coordinator is dishonest. */
export function showing(
  { at, shows }: DishonestLog,
  publicLog: MemoryPublicLog,
  primitives: Primitives,
  round = 2,
): (message: CoordinatorMessage) => Promise<CoordinatorMessage> {
  const earlier: LogProofMessage[] = [];
  let rounds = 0;
  return async (message) => {
    if (message.type === "invite") rounds = message.round;
    if (message.type !== at || !("log" in message) || message.log === undefined) return message;
    const { log: proof, ...bare } = message;
    if (rounds < round) {
      earlier.push(proof);
      return message;
    }
    const shown = await shows({ proof, log: publicLog.log, primitives, earlier });
    return (shown === undefined ? bare : { ...bare, log: shown }) as CoordinatorMessage;
  };
}
