import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { binomialQuantile, hypergeometricTerms, sparseNumbers } from "#shared/cohort/failure-bounds.ts";
import { agreedGraphOf, isSharded } from "#shared/cohort/graph-plan.ts";
import { SHARDED_CORRUPT_SHARE, shardColluders } from "#shared/cohort/shard-colluders.ts";
import { thresholds } from "#shared/cohort/threshold.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import { completeGraph, type Graph, ringGraph } from "#shared/secagg/graph.ts";
import { type ShardPlan, shardOf, shardPlanOf } from "#shared/secagg/shard-plan.ts";
import { positionNo } from "#test/kit/places.ts";
import vectors from "#test/vectors/data/secagg.json" with { type: "json" };

const share = (text: string) => (text.includes("/") ? 1 / Number(text.split("/")[1]) : Number(text));
const SIZES = { n1e3: 1_000, n1e4: 10_000, n1e5: 100_000 } as const;

/** ln of a factorial by summation, an oracle that shares nothing with the product's recurrences. */
function logFactorial(n: number): number {
  let sum = 0;
  for (let factor = 2; factor <= n; factor++) sum += Math.log(factor);
  return sum;
}
const logChoose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

describe("degree and threshold of a sparse graph", () => {
  const cases = (["honestButCurious", "active"] as const).flatMap((kind) =>
    vectors.graphDegree[kind].flatMap((row) =>
      Object.entries(SIZES).flatMap(([name, size]) => {
        const expected = (row as unknown as Record<string, number[] | undefined>)[name];
        return expected === undefined ? [] : [{ kind, row, size, expected }];
      }),
    ),
  );
  test("all 15 reference values are checked", () => expect(cases).toHaveLength(15));
  test.each(cases)(
    "[S17] $kind, $row.corrupt and $row.dropout of $size: $expected",
    ({ kind, row, size, expected }) => {
      const model = kind === "active" ? "active" : "honest-but-curious";
      const numbers = sparseNumbers(size, share(row.corrupt), share(row.dropout), model);
      expect([numbers?.degree, numbers?.threshold]).toEqual(expected);
    },
  );
  test("a roster too small for the bounds has no sparse graph: everyone is a neighbour", () => {
    expect(sparseNumbers(6, 1 / 3, 1 / 3, "honest-but-curious")).toBeNull();
    const graph = { kind: "k-regular", corruptShare: 1 / 3, dropoutShare: 1 / 3 } as const;
    expect(thresholds(6, "honest-but-curious", 3, graph)).toEqual(thresholds(6, "honest-but-curious", 3));
  });
  test.each([
    [50, 10, 20],
    [50, 40, 20],
    [12, 12, 5],
  ])(
    "the hypergeometric terms of %d, %d marked, %d drawn are the quotients of binomials",
    (n, marked, draws) => {
      const terms = hypergeometricTerms(n, marked, draws);
      terms.forEach((term, count) => {
        const possible = count <= marked && draws - count <= n - marked && draws >= count;
        const expected = possible
          ? Math.exp(logChoose(marked, count) + logChoose(n - marked, draws - count) - logChoose(n, draws))
          : 0;
        expect(term).toBeCloseTo(expected, 12);
      });
      expect(terms.reduce((sum, term) => sum + term, 0)).toBeCloseTo(1, 12);
    },
  );
  test("the binomial quantile is the smallest m whose tail is small enough", () => {
    const tail = (trials: number, p: number, m: number) => {
      let sum = 0;
      for (let k = trials; k > m; k--) {
        sum += Math.exp(logChoose(trials, k) + k * Math.log(p) + (trials - k) * Math.log1p(-p));
      }
      return sum;
    };
    for (const [trials, p, chance] of [
      [100, 0.09, 1e-9],
      [1_000, 0.01, 1e-12],
      [12, 0.5, 1e-3],
    ] as const) {
      const m = binomialQuantile(trials, p, chance);
      expect(tail(trials, p, m)).toBeLessThanOrEqual(chance);
      expect(tail(trials, p, m - 1)).toBeGreaterThan(chance);
    }
  });
});

describe("the ring", () => {
  const sid = new Uint8Array(32).fill(7) as Bytes;
  const bothWays = (graph: Graph, size: number) => {
    for (let position = 1; position <= size; position++) {
      for (const other of graph.neighbours(positionNo(position))) {
        if (!graph.neighbours(other).includes(positionNo(position))) return false;
      }
    }
    return true;
  };
  test("[S17] each of 1,000 has its 34 neighbours, both ways, and holders ranked in order of position", async () => {
    const graph = ringGraph(sid, 1_000, 34);
    for (let position = 1; position <= 1_000; position++) {
      const neighbours = graph.neighbours(positionNo(position));
      expect(new Set(neighbours).size).toBe(34);
      expect(neighbours).not.toContain(position);
      expect(neighbours).toEqual(neighbours.toSorted((left, right) => left - right));
    }
    expect(bothWays(graph, 1_000)).toBe(true);
    const holders = graph.holders(positionNo(17));
    expect(holders).toEqual([...graph.neighbours(positionNo(17)), 17].sort((left, right) => left - right));
    expect(holders.map((holder) => graph.rankOf(positionNo(17), holder))).toEqual(
      holders.map((_, index) => index + 1),
    );
    const stranger = Array.from({ length: 1_000 }, (_, index) => index + 1).find(
      (p) => !holders.includes(positionNo(p)),
    );
    expect(graph.rankOf(positionNo(17), positionNo(stranger as number))).toBe(0);
  });
  test("[S17] the order equals the one from hashes written by hand", () => {
    const sha256 = (hex: string) => createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex");
    const text = (value: string) => Buffer.from(value).toString("hex");
    const seed = sha256(`0000000e${text("chorus/1/graph")}00000020${"07".repeat(32)}`);
    const block = (index: number) => {
      const number = index.toString(16).padStart(8, "0");
      return sha256(`00000013${text("chorus/1/graph-draw")}00000020${seed}00000004${number}`);
    };
    const order = Array.from({ length: 12 }, (_, index) => index + 1);
    for (let draw = 0; draw < 11; draw++) {
      const at = 16 * (draw % 4);
      // The first 21 and the last 32 of 64 bits.
      const bits = BigInt(`0x${block(Math.floor(draw / 4)).slice(at, at + 16)}`);
      const fraction = ((bits >> 43n) << 32n) | (bits & 0xffffffffn);
      const last = 11 - draw;
      const other = Number((fraction * BigInt(last + 1)) >> 53n);
      const moved = order[last] as number;
      order[last] = order[other] as number;
      order[other] = moved;
    }
    const graph = ringGraph(sid, 12, 4);
    order.forEach((position, place) => {
      const around = [1, 2, 10, 11].map((step) => order[(place + step) % 12] as number);
      expect(graph.neighbours(positionNo(position))).toEqual(around.sort((left, right) => left - right));
    });
  });
  test("another session gives another ring", async () => {
    const one = ringGraph(sid, 100, 10);
    const other = ringGraph(new Uint8Array(32).fill(8), 100, 10);
    expect(one.neighbours(positionNo(1))).not.toEqual(other.neighbours(positionNo(1)));
    expect(ringGraph(sid, 100, 10).neighbours(positionNo(1))).toEqual(one.neighbours(positionNo(1)));
  });
  test("every device is a neighbour of a given one about equally often", async () => {
    const counts = new Float64Array(21);
    for (let index = 0; index < 500; index++) {
      const graph = ringGraph(new Uint8Array(32).fill(index & 255).fill(index >>> 8, 16), 20, 4);
      for (const other of graph.neighbours(positionNo(5))) counts[other] = (counts[other] ?? 0) + 1;
    }
    // 500 x 4 / 19 = 105 each with a standard deviation of 9; the tolerance is five of them either way.
    for (let other = 1; other <= 20; other++) {
      if (other === 5) continue;
      expect(Math.abs((counts[other] as number) - 105)).toBeLessThan(47);
    }
  });
  test("one-way joins are detected (positive control)", () => {
    const complete = completeGraph(9);
    expect(bothWays(complete, 9)).toBe(true);
    expect(bothWays({ ...complete, neighbours: (position) => [positionNo((position % 9) + 1)] }, 9)).toBe(
      false,
    );
  });
});

describe("shards", () => {
  const terms = {
    runId: "0192f0c0ffee7000800000000000beef",
    round: 3,
    modelHash: "33".repeat(32),
    config: { graph: { kind: "shards", size: 96, count: 11 } },
  } as const;
  const identities = Array.from({ length: 1_000 }, (_, index) => {
    const identity = new Uint8Array(32);
    new DataView(identity.buffer).setUint32(0, index);
    return identity;
  });
  const countedBy = (devices: readonly Bytes[], plan: ShardPlan | null) => {
    const counts = Array.from({ length: plan?.shardCount ?? 1 }, () => 0);
    for (const identity of devices) {
      const shard = shardOf(plan, identity);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    return counts;
  };
  test("one graph up to the size of a shard, then as many shards as keep that size on average", () => {
    const graph = { kind: "shards", size: 96 } as const;
    const countFor = (goal: number) => {
      const agreed = agreedGraphOf({ goal, overSelection: 1, graph });
      return isSharded(agreed) ? agreed.count : 0;
    };
    expect([3, 96, 97, 192, 193, 10_000].map(countFor)).toEqual([1, 1, 2, 2, 3, 105]);
    expect(agreedGraphOf({ goal: 1_000, overSelection: 1.3, graph })).toMatchObject({ count: 14 });
    expect(agreedGraphOf({ goal: 98, overSelection: 1.3 })).toBe("complete");
    expect(agreedGraphOf({ goal: 99, overSelection: 1.3 })).toMatchObject({ size: 96, count: 2 });
    expect(shardPlanOf({ ...terms, config: { graph: { ...graph, count: 1 } } })).toBeNull();
    expect(shardPlanOf({ ...terms, config: { graph: "complete" } })).toBeNull();
    expect(shardOf(null, identities[0] as Bytes)).toBe(0);
  });
  test("[S16] a shard equals the one from a hash written by hand", async () => {
    const item = (...parts: Uint8Array[]) => {
      const bytes: number[] = [];
      for (const part of parts) bytes.push(0, 0, 0, part.length, ...part);
      return Uint8Array.from(bytes);
    };
    const text = (value: string) => new TextEncoder().encode(value);
    const sha256 = async (bytes: Uint8Array<ArrayBuffer>) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const seed = await sha256(
      item(
        text("chorus/1/shard-seed"),
        text(terms.runId),
        Uint8Array.of(0, 0, 0, 3),
        new Uint8Array(32).fill(0x33),
      ),
    );
    const plan = shardPlanOf(terms);
    expect(plan?.shardCount).toBe(11);
    expect(bytesToHex(plan?.seed as Bytes)).toBe(bytesToHex(seed));
    const digest = await sha256(item(text("chorus/1/shard"), seed, identities[5] as Bytes));
    const place = new DataView(digest.buffer).getUint32(0);
    expect(shardOf(plan, identities[5] as Bytes)).toBe(Number((BigInt(place) * 11n) >> 32n));
  });
  test("shards are about equal in size, and another round mixes anew", () => {
    const sizes = (round: number) => {
      const plan = shardPlanOf({ ...terms, round });
      return countedBy(identities, plan);
    };
    // 91 on average with a standard deviation of 9.1; the tolerance is five of them.
    for (const size of sizes(3)) expect(Math.abs(size - 91)).toBeLessThan(46);
    expect(sizes(3)).not.toEqual(sizes(4));
  });
  test("[S16] no shard of a thousand rounds has more colluders than c; a c of the mean is exceeded at once (positive control)", () => {
    const c = shardColluders(terms.config.graph) ?? 0;
    const colluders = identities.slice(0, SHARDED_CORRUPT_SHARE * 1_000);
    let most = 0;
    for (let round = 1; round <= 1_000; round++) {
      const plan = shardPlanOf({ ...terms, round });
      most = Math.max(most, ...countedBy(colluders, plan));
    }
    expect(most).toBeLessThanOrEqual(c);
    expect(most).toBeGreaterThan(9);
    // Far below c in any thousand rounds: 2^-40 is not met by chance.
    expect(c).toBeGreaterThan(most + 5);
  });
  test("[S6] [S16] in each shard no two survivor sets can both be confirmed, at any size", () => {
    for (const count of [2, 3, 11, 105]) {
      for (let n = 20; n <= 128; n++) {
        const { c, t } = thresholds(n, "active", 3, { ...terms.config.graph, count });
        expect(2 * t).toBeGreaterThan(n + c);
      }
    }
  });
  test("a shard of 96 in a round of 1,000 continues with a fifth gone", () => {
    const { c, t, q } = thresholds(96, "active", 10, terms.config.graph);
    expect({ c, t, q }).toEqual({ c: 37, t: 67, q: 67 });
  });
});
