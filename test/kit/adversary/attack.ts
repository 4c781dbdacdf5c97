import { bCommit } from "#shared/crypto/commitments.ts";
import { type Bytes, equalBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { DeviceMessageOf } from "#shared/protocol/messages/device.ts";
import { shareMatches } from "#shared/secagg/bundle.ts";
import { memberAt } from "#shared/secagg/roster.ts";
import { verifyComplaint } from "#shared/secagg/server.ts";
import { positionNo } from "../places.ts";
import type { Edit } from "../planted.ts";
import type { Engine } from "../secagg-engine.ts";
import type { CohortResult, SecaggCohort } from "../worlds/secagg-cohort.ts";

/*
 * An attack is a script for a dishonest coordinator, for dishonest devices, or for both, around the real engine of the
 * honest parties. It ends with its loot. This file judges whether the loot is worth anything, from what only the oracle
 * knows: the plain inputs and the seeds. The same script runs against the product, where its loot must be worthless,
 * and against a copy without the counter-measure, where it must be real.
 */
export interface Attack {
  /** Title of its test, with the IDs of the rules that it attacks. */
  readonly name: string;
  /** Section of the protocol: "5 R2", "6", "9 SHARED", "13". */
  readonly section: string;
  /** The code with which an honest party ends. Null if it answers as usual and the attacker gains nothing. */
  readonly stoppedBy: string | null;
  /** Removes the counter-measure, and every other one that would stop the same script. */
  readonly without: readonly Edit[];
  readonly run: (world: World) => Promise<Loot | null>;
}

/** An attack that no secure aggregation stops. It succeeds against the product, and SECURITY.md says so. */
export interface OpenAttack extends Pick<Attack, "name" | "section" | "run"> {
  /** What helps against it outside the protocol. */
  readonly answer: string;
}

export type Loot =
  /** A device's own input, without any masks. */
  | {
      readonly kind: "input";
      readonly of: SecaggCohort;
      readonly position: number;
      readonly words: Uint32Array;
    }
  /** A sum over fewer honest devices than every sum must contain. */
  | {
      readonly kind: "small-sum";
      readonly of: SecaggCohort;
      readonly positions: readonly number[];
      readonly words: Uint32Array;
      readonly least: number;
    }
  /** A page's own input, except for the rounding of the others, one step each. */
  | {
      readonly kind: "rounded-input";
      readonly words: Uint32Array;
      readonly own: Int32Array;
      readonly others: number;
    }
  /** More inputs from one device than its own limit allows. */
  | { readonly kind: "overspent"; readonly inputs: number; readonly limit: number }
  /** Something that a page has sent and does not remember. */
  | { readonly kind: "forgotten"; readonly sent: boolean; readonly remembered: boolean }
  /** A page that waits forever. */
  | { readonly kind: "stuck"; readonly activities: readonly string[] }
  /** The seed of an honest device's self mask. */
  | { readonly kind: "seed"; readonly of: SecaggCohort; readonly position: number; readonly b: Bytes }
  /** The difference of two inputs of one device. */
  | {
      readonly kind: "difference";
      readonly inputs: readonly [Uint32Array, Uint32Array];
      readonly words: Uint32Array;
    }
  /** A share that a device sealed for another, read without any secret. */
  | {
      readonly kind: "sealed-share";
      readonly of: SecaggCohort;
      readonly dealer: Position;
      readonly holder: Position;
      readonly b: Bytes;
    }
  /** The honest coordinator accepts a sum that is not the sum of its survivors. */
  | { readonly kind: "wrong-sum"; readonly of: SecaggCohort; readonly taken: CohortResult }
  /** An honest device's signed complaint about an honest dealer. */
  | {
      readonly kind: "framed-by-complaint";
      readonly of: SecaggCohort;
      readonly complaint: DeviceMessageOf<"complaint">;
      readonly by: number;
    }
  /** The honest coordinator blames an honest device. */
  | { readonly kind: "framed"; readonly named: readonly number[]; readonly honest: readonly number[] }
  /** A message that crashes the honest coordinator. */
  | { readonly kind: "crash"; readonly fault: unknown }
  /** Two honest devices of one roster judge the same bytes differently. */
  | { readonly kind: "split-verdict"; readonly verdicts: readonly string[] }
  /** A device believes that its input is in a sum, but it is not. */
  | {
      readonly kind: "false-receipt";
      readonly of: SecaggCohort;
      readonly position: number;
      readonly summed: readonly number[];
    };

/** True if the loot is real. */
export async function isWorth(loot: Loot | null): Promise<boolean> {
  if (loot === null) return false;
  switch (loot.kind) {
    case "input":
      return same(loot.words, loot.of.device(loot.position).input) && loot.words.some((word) => word !== 0);
    case "small-sum":
      return loot.positions.length < loot.least && same(loot.words, loot.of.oracle(loot.positions));
    case "rounded-input": {
      const { words, own, others } = loot;
      const isNear = words.every((word, index) => Math.abs((word | 0) - (own[index] as number)) <= others);
      return words.length === own.length && isNear && own.some((word) => Math.abs(word) > 1_000 * others);
    }
    case "overspent":
      return loot.inputs > loot.limit;
    case "forgotten":
      return loot.sent && !loot.remembered;
    case "stuck":
      return loot.activities.includes("in-round");
    case "seed": {
      const { primitives, roster } = loot.of;
      const { identity, bCommit: committed } = memberAt(roster, positionNo(loot.position));
      return equalBytes(await bCommit(primitives, identity, loot.b), committed);
    }
    case "difference": {
      const [first, second] = loot.inputs;
      const difference = first.map((word, index) => word - (second[index] as number));
      return same(loot.words, difference) && difference.some((word) => word !== 0);
    }
    case "sealed-share": {
      const { of: cohort, dealer, holder, b } = loot;
      const leaf = cohort.bundles.get(dealer)?.leaves[holder - 1];
      const route = { sid: cohort.roster.sid, dealer, holder };
      return leaf !== undefined && shareMatches(cohort.primitives, "b", route, b, leaf);
    }
    case "wrong-sum":
      return (
        loot.taken.kind === "committed" && !same(loot.taken.sum, loot.of.oracle(loot.taken.sets.u3.positions))
      );
    case "framed-by-complaint":
      return (await verifyComplaint(loot.of.primitives, loot.of.roster, positionNo(loot.by), loot.complaint))
        .ok;
    case "framed":
      return loot.named.some((position) => loot.honest.includes(position));
    case "crash":
      return loot.fault instanceof Error && loot.fault.name === "AssertionFault";
    case "split-verdict":
      return new Set(loot.verdicts).size > 1;
    case "false-receipt":
      return loot.of.device(loot.position).state.phase === "done" && !loot.summed.includes(loot.position);
  }
}

function same(left: Uint32Array, right: Uint32Array): boolean {
  return left.length === right.length && left.every((word, index) => word === right[index]);
}

/** The setting of an attack: the product or a copy of it, and the codes with which its honest devices answered. */
export class World {
  readonly engine: Engine;
  /** Codes that honest parties ended with. */
  readonly codes: string[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Sends a message to a device. @returns true if the device accepted it. */
  async tell(cohort: SecaggCohort, position: number, message: CoordinatorMessage): Promise<boolean> {
    const { coordinatorMessageSchema } = this.engine.coordinatorMessages;
    const decoded = decodeFrame(encodeFrame(message), coordinatorMessageSchema);
    if (!decoded.ok) {
      this.codes.push("BAD_MESSAGE");
      return false;
    }
    const step = await cohort.deliver(position, message as never);
    if (step.type === "go") return true;
    this.codes.push(step.type === "aborted" ? step.state.code : step.code);
    return false;
  }
}
