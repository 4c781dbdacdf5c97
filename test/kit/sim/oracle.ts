import { segmentOf } from "#shared/codec/layout.ts";
import { present } from "#shared/kernel/assert.ts";
import { keptShards } from "#shared/round/shards.ts";
import { layoutOf } from "#shared/task/agreed-config.ts";
import type { Host } from "./host.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/*
 * After a world has come to rest: every committed sum against the vectors that its survivors kept themselves, added up
 * here in exact integers, and what the coordinator still holds.
 */

export function checkSums(world: World, watch: Watch, host: Host): void {
  for (const [roundId, state] of watch.rounds) {
    if (state.phase !== "committed") continue;
    const expected: number[] = [];
    for (const { shard } of keptShards(state)) {
      const found = [...watch.sessions].find(
        ([, one]) => one.roundId === roundId && one.attempt === state.attempt && one.shard === shard,
      );
      const [sid, session] = present(found, "a session of each shard");
      const own = (session.u3 ?? []).map((position) =>
        watch.ownVectors.get(`${session.identities[position - 1]} ${sid}`),
      );
      if (own.some((bytes) => bytes === undefined)) {
        world.violated("S2", `a survivor of ${sid.slice(0, 8)} has no record of its input`);
        return;
      }
      expected.push(...publishedSum(world, own as Uint8Array[]));
    }
    const published = host.disk.blobs.get(state.publication.sumHash);
    const words = published === undefined ? [] : new Int32Array(published.slice().buffer);
    if (expected.join(" ") !== words.join(" "))
      world.violated(
        "S2",
        `the sum of round ${state.facts.round} is ${words.join(" ")}, not ${expected.join(" ")}`,
      );
  }
}

/** Update, weight and sentinels, the numbers of all added up. */
function publishedSum(world: World, own: readonly Uint8Array[]): number[] {
  const layout = layoutOf(world.plan.task);
  const vectors = own.map((bytes) => new Int32Array(bytes.slice().buffer));
  return (["update", "weight", "sentinels"] as const).flatMap((name) => {
    const { offset, length } = segmentOf(layout, name);
    return Array.from({ length }, (_, index) =>
      vectors.reduce((sum, vector) => sum + (vector[offset + index] as number), 0),
    );
  });
}

/** Shares and inputs are gone once every run has ended. */
export function checkForgotten(world: World, host: Host): void {
  if (host.db.material.size > 0)
    world.violated("S11", `shares are kept: ${[...host.db.material.keys()].join(", ")}`);
  if (host.disk.spool.size > 0)
    world.violated("S11", `inputs are kept: ${[...host.disk.spool.keys()].join(", ")}`);
}
