import { assert, unreachable } from "../kernel/assert.ts";

/**
 * Who shares secrets and pair masks with whom. The engines on both sides take the neighbours from here and nowhere
 * else, so a sparse graph is one more function of this kind.
 */
export interface Graph {
  /** Ascending positions, 1 to n, without `position` itself. */
  readonly neighbours: (position: number, rosterSize: number) => readonly number[];
}

/** Everyone with everyone. Source: Bonawitz et al. 2017, figure 4. */
export const completeGraph: Graph = {
  neighbours: (position, rosterSize) => {
    assert(position >= 1 && position <= rosterSize, "a position lies in the roster");
    const others: number[] = [];
    for (let other = 1; other <= rosterSize; other++) if (other !== position) others.push(other);
    return others;
  },
};

export function graphOf(kind: "complete"): Graph {
  switch (kind) {
    case "complete":
      return completeGraph;
    default:
      return unreachable(kind);
  }
}

/** Who holds shares of the secrets of `dealer`: its neighbours and itself, ascending. */
export function holdersOf(graph: Graph, dealer: number, rosterSize: number): readonly number[] {
  return [...graph.neighbours(dealer, rosterSize), dealer].sort((left, right) => left - right);
}
