import { agreedGraphOf } from "../../cohort/graph-plan.ts";
import { thresholds } from "../../cohort/threshold.ts";
import { setHash } from "../../crypto/commitments.ts";
import { merkleRoot } from "../../crypto/merkle.ts";
import { positionsToBitmap } from "../../crypto/position-set.ts";
import { bytesToHex, hexToBytes } from "../../kernel/bytes.ts";
import { positionOfSeat } from "../../kernel/places.ts";
import { keptShards, seatsIn } from "../../round/shards.ts";
import type { RoundShard } from "../../round/state.ts";
import { inputsTree } from "../../secagg/opening.ts";
import type { Replayed } from "../replayed.ts";
import { type Check, judge, type Statement, uncheckable, waiting } from "../statement.ts";
import { missing, numberOf, type Subject, textOf } from "../subject.ts";
import { counted, entriesInWords, grouped } from "../words.ts";

/** How many made up the cohort, and how many of them had to send. */
export function cohort(subject: Subject): Statement {
  const { sids, task, replay, record } = subject;
  const sealed = sids.map((sid) => subject.ofSession("cohort.sealed", sid));
  const found = sealed.filter((entry) => entry !== undefined);
  const size = sum(found.map((entry) => numberOf(entry, "n")));
  const entries = found.map(({ index }) => index);
  const needed = task === null ? null : sum(found.map((entry) => planOf(task, numberOf(entry, "n")).q));
  const least = needed === null ? "" : `, so at least ${grouped(needed)} of them had to send`;
  const statement = {
    id: "cohort" as const,
    says: `${counted(size, "device")} made up the cohort${least}.`,
    entries,
  };
  if (found.length < sids.length || found.length === 0)
    return {
      ...statement,
      says: "The cohort was fixed before anyone sent.",
      ...missing(subject, "no entry of the cohort"),
    };
  if (task === null)
    return {
      ...statement,
      ...waiting("The task is not served, so the number needed was not computed again."),
    };
  const roster =
    typeof replay === "object" && replay !== null && "roster" in replay.state
      ? replay.state.roster.length
      : null;
  const checks: readonly Check[] = [
    ...found.map((entry): Check => {
      const { t } = planOf(task, numberOf(entry, "n"));
      const said = numberOf(entry, "threshold");
      return [
        t === said,
        `Entry ${grouped(entry.index)} says that ${said} of ${numberOf(entry, "n")} open the sum; the task's rules give ${t}.`,
      ];
    }),
    [
      record.advertised === size || record.shardList !== undefined,
      `The round's record counts ${record.advertised} devices, the log ${size}.`,
    ],
    [roster === null || roster === size, `The round's own log has ${roster} devices, the log ${size}.`],
  ];
  const followed = `${grouped(needed ?? 0)} follows from ${grouped(size)} by the task's rules, computed again`;
  return { ...statement, ...judge(checks, `${entriesInWords(entries)}; ${followed}.`) };
}

function planOf({ aggregation }: NonNullable<Subject["task"]>, rosterSize: number) {
  const { securityModel, cohortSizeMin } = aggregation;
  if (!(Number.isInteger(rosterSize) && rosterSize >= 1)) return { t: Number.NaN, q: 0 };
  return thresholds(rosterSize, securityModel, cohortSizeMin, agreedGraphOf(aggregation));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** How many inputs are in the sum, that none counts twice, and that they are those of the round's own log. */
export async function inputs(subject: Subject): Promise<Statement> {
  const { sids, record, replay, signatures, hasEnded } = subject;
  const found = sids
    .map((sid) => subject.ofSession("inputs.sealed", sid))
    .filter((entry) => entry !== undefined);
  const entries = found.map(({ index }) => index);
  const count = sum(found.map((entry) => numberOf(entry, "survivors")));
  const says = `${counted(count, "masked update")} ${count === 1 ? "is" : "are"} in the sum, and none counts twice.`;
  const statement = { id: "inputs" as const, says, entries };
  if (found.length < sids.length || found.length === 0)
    return {
      ...statement,
      says: "The list of masked updates was sealed.",
      ...missing(subject, "no entry of the masked updates"),
    };
  const checks: Check[] = [
    [
      !hasEnded || record.survivors === count,
      `The round's record counts ${record.survivors} masked updates, the log ${count}.`,
    ],
  ];
  if (signatures !== "not-kept" && signatures !== "not-shown" && signatures.ok)
    checks.push(
      ...found.map(
        (entry): Check => [
          signatures.value.sessions.get(textOf(entry, "sid"))?.inputs === textOf(entry, "merkleRoot"),
          `The masked updates that devices signed have another root than entry ${grouped(entry.index)}.`,
        ],
      ),
    );
  if (typeof replay === "string") return { ...statement, verdict: "contradicted", because: replay };
  if (replay === null) {
    const judged = judge(
      checks,
      `${entriesInWords(entries)}; the roots over the masked updates that devices signed.`,
    );
    if (judged.verdict === "contradicted" || isChecked(signatures)) return { ...statement, ...judged };
    return { ...statement, ...waiting(FOR_AN_AUDITOR) };
  }
  const { primitives } = subject;
  const shards = found.map((entry) => survivorRoots(replay, numberOf(entry, "shard") || 0));
  const roots = shards.flat();
  const made = await Promise.all(
    shards.map(async (own) => (await inputsTree(primitives, own.map(hexToBytes))).root),
  );
  const [first] = made;
  const whole = bytesToHex(made.length === 1 && first ? first : await merkleRoot(primitives, made));
  checks.push(
    [
      roots.length === count,
      `The round's own log has ${roots.length} masked updates in the sum, the log ${count}.`,
    ],
    [new Set(roots).size === roots.length, "One masked update stands in the sum twice."],
    ...found.map((entry, at): Check => {
      const root = made[at];
      return [
        root !== undefined && bytesToHex(root) === textOf(entry, "merkleRoot"),
        `The masked updates of the round's own log have another root than entry ${grouped(entry.index)}.`,
      ];
    }),
    [
      record.inputsRoot === null || record.inputsRoot === whole,
      "The round's record shows another root over the masked updates.",
    ],
  );
  const over = found.length === 1 ? "one root" : `${grouped(found.length)} roots, one a group,`;
  return {
    ...statement,
    ...judge(
      checks,
      `${entriesInWords(entries)}; ${over} over ${counted(count, "different masked update")}, computed again.`,
    ),
  };
}

const FOR_AN_AUDITOR =
  "For an auditor: the round's own log is not served, so its masked updates cannot be counted here.";

function isChecked(signatures: Subject["signatures"]): boolean {
  return typeof signatures !== "string" && signatures.ok;
}

/** Roots over the masked updates of one group that are in the sum, by place. */
function survivorRoots({ state }: Replayed, shard: number): readonly string[] {
  if (!("u3" in state)) return [];
  const own = shardNo(state, shard);
  const seats = own === undefined ? [] : seatsIn(own, state.u3);
  return seats
    .map((seat) => state.inputs.get(seat)?.root ?? "")
    .filter((root) => /^[0-9a-f]{64}$/.test(root));
}

type WithShards = Extract<Replayed["state"], { readonly shards: readonly unknown[] }>;

/** The group of this number; the only one if there is one. A served log may lack what its entries name. */
function shardNo({ shards }: Pick<WithShards, "shards">, shard: number): RoundShard | undefined {
  return shards.length === 1 ? shards[0] : shards.find((one) => one.shard === shard);
}

/** That enough devices signed that they had seen the same list. */
export async function signed(subject: Subject): Promise<Statement> {
  const { sids, replay, signatures, primitives } = subject;
  const found = sids
    .map((sid) => subject.ofSession("survivors.signed", sid))
    .filter((entry) => entry !== undefined);
  const entries = found.map(({ index }) => index);
  const says = signedWords(replay);
  const statement = { id: "signed" as const, says, entries };
  if (found.length < sids.length || found.length === 0)
    return { ...statement, ...missing(subject, "no entry of the signatures") };
  if (typeof replay === "string") return { ...statement, verdict: "contradicted", because: replay };
  const checks: Check[] = [];
  if (replay !== null && "u3" in replay.state) {
    const { state } = replay;
    for (const entry of found) {
      const shard = shardNo(state, numberOf(entry, "shard") || 0);
      if (shard === undefined) {
        checks.push([false, `The round's own log has no group of entry ${grouped(entry.index)}.`]);
        continue;
      }
      for (const name of ["u2", "u3"] as const) {
        const seats = seatsIn(shard, state[name]);
        const positions = seats.map((seat) => positionOfSeat(seat, shard.seatsBefore));
        const bitmap = positionsToBitmap(positions, shard.thresholds.rosterSize);
        const made = bytesToHex(await setHash(primitives, hexToBytes(textOf(entry, "sid")), bitmap));
        checks.push([
          made === textOf(entry, name),
          `The list that was signed is not that of the round's own log (${name}).`,
        ]);
      }
    }
    const { confirmed, needed } = confirmations(replay);
    checks.push([confirmed >= needed, `${confirmed} devices signed; ${needed} were needed.`]);
  }
  const failed = judge(checks, "");
  if (failed.verdict === "contradicted") return { ...statement, ...failed };
  if (signatures === "not-kept")
    return {
      ...statement,
      ...uncheckable(
        `${entriesInWords(entries)} commits to the signatures, which were deleted with the round's transcript. While it was kept, an auditor could check each.`,
      ),
    };
  if (signatures === "not-shown")
    return {
      ...statement,
      ...waiting(
        `For an auditor: ${entriesInWords(entries).toLowerCase()} commits to the signatures, and only an auditor may read them.`,
      ),
    };
  if (!signatures.ok) return { ...statement, verdict: "contradicted", because: signatures.error.sentence };
  const { count, sessions } = signatures.value;
  const rooted = found.map(
    (entry): Check => [
      sessions.get(textOf(entry, "sid"))?.confirmations === textOf(entry, "signatureRoot"),
      `The signatures have another root than entry ${grouped(entry.index)}.`,
    ],
  );
  return {
    ...statement,
    ...judge(rooted, `${entriesInWords(entries)}; ${counted(count, "signature")} of the round verified.`),
  };
}

function confirmations({ state }: Replayed): { readonly confirmed: number; readonly needed: number } {
  if (!("shards" in state)) return { confirmed: 0, needed: 0 };
  const needed = keptShards(state).reduce((total, { thresholds: { t } }) => total + t, 0);
  if ("confirmedCount" in state) return { confirmed: state.confirmedCount, needed };
  return { confirmed: "confirmations" in state ? state.confirmations.size : 0, needed };
}

function signedWords(replay: Subject["replay"]): string {
  if (replay === null || typeof replay === "string" || !("u3" in replay.state))
    return "Enough devices signed that they had seen the same list.";
  const { confirmed, needed } = confirmations(replay);
  const of = replay.state.u3.length;
  return `${grouped(confirmed)} of the ${grouped(of)} signed that they had seen the same list; ${grouped(needed)} were needed.`;
}
