import { describe, expect, test } from "vitest";
import { type Edit, plant } from "#test/kit/planted.ts";
import { calmPlan, calmTask, fault, restlessPlan, shardedPlan } from "#test/kit/sim/calm-plan.ts";
import { CALM, type Plan } from "#test/kit/sim/plan.ts";
import { smallSearch } from "#test/kit/sim/small-search.ts";

/*
 * Bugs planted into a copy of the product. The simulated worlds or the search must find each of them, or they could not
 * find a real one.
 */

type Simulate = typeof import("#test/kit/sim/simulate.ts");
type Search = typeof import("#test/kit/sim/search.ts");

interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The broken rule; one of the violations starts with it. */
  readonly broken: string;
  readonly plans: readonly Plan[];
}

/** All messages arrive twice and out of order. */
function twice(): Plan[] {
  const network = { ...CALM, latencyMaxMs: 400, duplication: 1, reorders: true };
  return Array.from({ length: 6 }, (_, seed) =>
    calmPlan({ deviceCount: 3, rounds: 4, seed: `twice ${seed}`, network }),
  );
}

const slowEvaluator = { evaluator: { maxMs: 60_000, failure: 0 } };

const CASES: readonly Case[] = [
  {
    name: "[R25] a round that opens before enough devices are ready",
    edits: [
      {
        file: "coordinator/core/runs/waiting.ts",
        find: 'if (ready >= this.needed) return "open";',
        replace: 'if (ready >= 1) return "open";',
      },
      {
        file: "coordinator/core/runs/run-rounds.ts",
        find: "if (ready < this.#waiting.needed) return this.readinessChanged();",
        replace: "",
      },
      {
        file: "shared/round/run.ts",
        find: "const enough = ready >= state.facts.devicesNeeded;",
        replace: "const enough = ready >= 0;",
      },
    ],
    broken: "[R25]",
    plans: [calmPlan()],
  },
  {
    name: "[R25] a run that waits on when its time has come",
    edits: [
      {
        file: "coordinator/core/runs/waiting.ts",
        find: "else expire(nowUnixMs);",
        replace: "else void expire;",
      },
    ],
    broken: "[S15]",
    plans: [
      calmPlan({ waitUntilMs: 60_000, faults: { devices: [fault(0, "leave", 1), fault(1, "leave", 1)] } }),
    ],
  },
  {
    name: "[R17] a round that too few came to and that counts",
    edits: [
      {
        file: "shared/round/run.ts",
        find: "if (event.shortOfDevices === true) return goOn(base);",
        replace: "",
      },
    ],
    broken: "[R17]",
    plans: [restlessPlan(9)],
  },
  {
    name: "[E3] a round that opens while the figures of two are missing",
    edits: [
      {
        file: "shared/round/run.ts",
        find: "unevaluated.every((model) => model.round >= Math.max(1, round))",
        replace: "unevaluated.length >= 0 && round >= 0",
      },
    ],
    broken: "[E3]",
    plans: [calmPlan({ rounds: 4, ...slowEvaluator })],
  },
  {
    name: "[E3] a run that forgets in a restart that it was evaluating",
    edits: [
      {
        file: "shared/round/run.ts",
        find: 'case "evaluating":\n      return evaluation(state);',
        replace: 'case "evaluating":\n      return [];',
      },
    ],
    broken: "[S15]",
    // The figures are in the last write of the run; a write that is cut off is done half of the time.
    plans: Array.from({ length: 90 }, (_, index) =>
      calmPlan({
        ...slowEvaluator,
        seed: `figures ${index}`,
        faults: { hostDiesAtWrites: [16 + (index % 45)] },
      }),
    ),
  },
  {
    name: "[S10] a device that sends before it has remembered it",
    edits: [
      {
        file: "client/core/round/part.ts",
        find: "if (step.remember !== null) {",
        replace:
          "if (step.remember !== null && step.send !== null) this.#delivery.send(this.#draft, step.send);\n        if (step.remember !== null) {",
      },
    ],
    broken: "[S10]",
    plans: [calmPlan()],
  },
  {
    name: "[S1] a device that gives shares of the self-mask seed for devices that dropped out",
    edits: [
      {
        file: "shared/secagg/client-open.ts",
        find: "if (survivors.has(owner)) {\n      z?.wipe();",
        replace: "if (z === null || survivors.has(owner) || u3.positions.length > 0) {",
      },
    ],
    broken: "[S1]",
    plans: [calmPlan({ faults: { devices: [fault(0, "leave", 8)] } })],
  },
  {
    name: "[S2] a sum that is one step off in one number",
    edits: [
      {
        file: "coordinator/core/rounds/combine.ts",
        find: "const sum = opened.value;",
        replace: "const sum = opened.value;\n  sum[0] = ((sum[0] as number) + 1) >>> 0;",
      },
    ],
    broken: "[S2]",
    plans: [calmPlan()],
  },
  {
    name: "[R50] a fold that does not check whether the disk kept what was receipted",
    edits: [
      {
        file: "test/kit/fakes/memory-files.ts",
        find: "primitives, bytes)).root) !== root",
        replace: "primitives, bytes)).root) === null",
      },
    ],
    broken: "[S2]",
    // The first input to arrive, while others are on their way; the first number of the update.
    plans: [calmPlan({ faults: { damagedInputs: [{ input: 1, afterMs: 1, at: 0, cut: false }] } })],
  },
  {
    name: "[R23] a round that goes on without a shard although the others are below the goal",
    edits: [
      { file: "shared/round/shards.ts", find: "total >= state.facts.rules.goal", replace: "total > 0" },
    ],
    broken: "[R23]",
    plans: Array.from({ length: 6 }, (_, seed) => shardedPlan(`shards ${seed}`, 16, 16, 5)),
  },
  {
    name: "[A5] a round that is kept longer than it should be",
    edits: [
      {
        file: "coordinator/core/rounds/transcript.ts",
        find: "const rounds = ports.keeping?.rounds ?? 0;",
        replace: "const rounds = (ports.keeping?.rounds ?? 0) + 1;",
      },
    ],
    broken: "[A5]",
    plans: [calmPlan({ rounds: 2, keptRounds: 1 })],
  },
  {
    name: "[R18] a model that is offered again after its sum was discarded",
    edits: [
      {
        file: "coordinator/core/rounds/round-end.ts",
        find: "return await putVoidStep(ports, terms, parentModelHash, runId, round);",
        replace: "return parentModelHash;",
      },
      {
        file: "coordinator/core/models/models.ts",
        find: "(offer.runId === runId && offer.openedSid === null)",
        replace: "offer.runId === runId",
      },
    ],
    broken: "[R18]",
    plans: [calmPlan({ flaws: new Map([[1, { flaw: "wrong-mask", untilMs: 60_000 }]]) })],
  },
  {
    name: "[S6] an opening with one confirmation too few",
    edits: [
      {
        file: "shared/round/tally.ts",
        find: "isReached: have >= needed && holdersReach",
        replace: 'isReached: have >= needed - (state.phase === "confirming" ? 1 : 0) && holdersReach',
      },
    ],
    broken: "[S6]",
    plans: [calmPlan()],
  },
  {
    name: "[S15] a phase that no clock ends",
    edits: [
      {
        file: "shared/round/deadline.ts",
        find: "  return [state.deadlineMs];",
        replace: '  return state.phase === "collecting" ? [] : [state.deadlineMs];',
      },
    ],
    broken: "[S15]",
    plans: [calmPlan({ network: { ...CALM, loses: (_, what) => what === "collect" } })],
  },
  {
    name: "[R10] a round that fails after its opening was asked for",
    edits: [
      {
        file: "shared/round/settle-exchange.ts",
        find: 'return voidRound(missed, "BELOW_T");',
        replace: 'return retryRound(missed as never, "BELOW_T");',
      },
    ],
    broken: "[R10]",
    plans: [calmPlan({ network: { ...CALM, loses: (_, what) => what === "open" } })],
  },
  {
    name: "[S15] a login that goes on over the connection whose welcome was lost",
    edits: [
      {
        file: "client/core/enrolment/enrolment.ts",
        find: "this.#disconnect();\n      this.#again(LOG_IN_AGAIN_MS, () => this.#connect());",
        replace: "this.#again(LOG_IN_AGAIN_MS, () => void this.#logIn(connection));",
      },
    ],
    broken: "rounds that failed",
    plans: [
      calmPlan({
        deviceCount: 3,
        network: { ...CALM, loses: (_, what, count) => what === "welcome" && count === 2 },
      }),
    ],
  },
  {
    name: "[S15] a login whose second hello takes the challenge of the first away",
    edits: [
      {
        file: "coordinator/core/access/device-login.ts",
        find: "equalBytes(pending.identity, identity) ? pending : null",
        replace: "equalBytes(pending.identity, identity) ? null : null",
      },
    ],
    broken: "rounds that failed",
    plans: twice(),
  },
  {
    name: "[S15] a device that stops waiting after a late message of an old round",
    edits: [
      {
        file: "client/core/enrolment/enrolment.ts",
        find: "if (this.#part === null) await this.#checkIn(connection);\n  }",
        replace: "void connection;\n  }",
      },
    ],
    broken: "rounds that failed",
    plans: twice(),
  },
  {
    name: "[S11] shares and inputs of a repeated attempt that outlive a death of the coordinator",
    edits: [
      {
        file: "coordinator/core/rounds/recover-round.ts",
        find: 'driver.run([{ type: "forget", attempt: state.attempt }]);',
        replace: "",
      },
      // A start forgets what is left of any ended session.
      {
        file: "coordinator/core/runs/run-desk.ts",
        find: "if (this.#swept) return;",
        replace: "if (!this.#swept) return;",
      },
    ],
    broken: "[S11]",
    plans: Array.from({ length: 44 }, (_, index) =>
      calmPlan({
        faults: {
          devices: [fault(0, "crash", 8, 900_000), fault(1, "crash", 8, 900_000)],
          hostDiesAtWrites: [20 + index],
        },
      }),
    ),
  },
  {
    name: "[R3] a round that invites in the order of arrival",
    edits: [{ file: "shared/round/settle.ts", find: "ready.sort(byLotOf(state));", replace: "" }],
    broken: "[R3]",
    plans: Array.from({ length: 6 }, (_, seed) =>
      calmPlan({
        seed: `crowd ${seed}`,
        deviceCount: 7,
        task: calmTask(7, { goal: 3, cohortSizeMax: 3, recruitingMinMs: 2_000 }),
      }),
    ),
  },
  {
    name: "[R5] a round that counts on who has left",
    edits: [
      {
        file: "shared/round/settle-exchange.ts",
        find: "const deserted = withoutDeserted(state, lost, survivorCounts(state));",
        replace: "const deserted = null;",
      },
    ],
    broken: "[R5]",
    // The leaving device must be quick: its `leave` must come before another's confirmation.
    plans: Array.from({ length: 20 }, (_, seed) =>
      calmPlan({ deviceCount: 3, seed: `quick ${seed}`, faults: { devices: [fault(0, "leave", 10)] } }),
    ),
  },
];

describe("a planted bug is found", () => {
  test.each(CASES)("$name", async ({ edits, broken, plans }) => {
    const planted = await plant(edits, ["test/kit"]);
    try {
      const { simulate } = await planted.load<Simulate>("test/kit/sim/simulate.ts");
      const found: string[] = [];
      for (const plan of plans) {
        const { violations, ends, runEnds } = await simulate(plan);
        found.push(...violations);
        // Only for plans whose devices have no faults.
        if (ends.has("failed COHORT_TOO_SMALL") || runEnds.has("failed WAIT_EXPIRED"))
          found.push("rounds that failed");
        if (found.some((violation) => violation.startsWith(broken))) break;
      }
      expect(found.map((violation) => violation.slice(0, broken.length))).toContain(broken);
    } finally {
      await planted.remove();
    }
  });
});

/** Bugs of the machine that the driver's own checks would hide from a world. */
const MACHINE_CASES: readonly Omit<Case, "plans">[] = [
  {
    name: "[R7] an input that is still taken after the survivors were sealed",
    edits: [
      {
        file: "shared/round/step-exchange.ts",
        find: 'if (state.phase !== "collecting") return refuse(state, "SLOT_CLOSED");',
        replace: "",
      },
      {
        file: "shared/round/step-exchange.ts",
        find: 'if (state.members.get(seat.identity)?.out !== null) return refuse(state, "STATE");\n  const { sha256',
        replace: "const { sha256",
      },
    ],
    broken: "S2",
  },
  {
    name: "[S15] an opening that waits for no grace",
    edits: [
      {
        file: "shared/round/settle-exchange.ts",
        find: "const late = state.nowMs >= state.graceEndsMs;",
        replace: "const late = false;",
      },
    ],
    broken: "S15",
  },
  {
    name: "[S6] an advert of somebody who never checked in",
    edits: [
      {
        file: "shared/round/step-exchange.ts",
        find: "if (member === undefined || member.out !== null) return",
        replace: "if (member !== undefined && member.out !== null) return",
      },
    ],
    broken: "S6",
  },
];

describe("a planted bug is found by the search", () => {
  test.each(MACHINE_CASES)("$name", async ({ edits, broken }) => {
    const planted = await plant(edits, ["test/kit"]);
    try {
      const { searchRounds } = await planted.load<Search>("test/kit/sim/search.ts");
      const { breaches } = searchRounds(
        smallSearch({ cohortSizeMin: 2, securityModel: "honest-but-curious" }, { restless: [1] }),
      );
      expect(breaches.map(({ breach: [rule] }) => rule)).toContain(broken);
      expect(breaches[0]?.way.length).toBeGreaterThan(2);
    } finally {
      await planted.remove();
    }
  });
});
