import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pathSteps } from "#shared/audit/path.ts";
import { layOutPath } from "#web/chart/merkle-path.ts";

const anyEntry = fc
  .tuple(fc.integer({ min: 1, max: 2_000_000 }), fc.nat())
  .map(([size, seed]) => ({ size, index: seed % size }));

test("[A64] a path joins each entry of the log exactly once, beside what it has covered so far", () => {
  fc.assert(
    fc.property(anyEntry, ({ size, index }) => {
      let [from, to] = [index, index + 1];
      for (const step of pathSteps(index, size)) {
        if (step.side === "right") {
          expect(step.from).toBe(to);
          to = step.to;
        } else {
          expect(step.to).toBe(from);
          from = step.from;
        }
      }
      expect([from, to]).toEqual([0, size]);
    }),
  );
});

test("[A64] the steps are those of RFC 6962: hashed along them, an entry gives the root", () => {
  const hash = (...parts: readonly Uint8Array[]) => {
    const made = createHash("sha256");
    for (const part of parts) made.update(part);
    return made.digest();
  };
  // The oracle: the definition of the tree's hash, by recursion.
  const rootOf = (from: number, to: number): Buffer => {
    if (to - from === 1) return hash(Uint8Array.of(0), Buffer.from(String(from)));
    const split = 2 ** (Math.ceil(Math.log2(to - from)) - 1);
    return hash(Uint8Array.of(1), rootOf(from, from + split), rootOf(from + split, to));
  };
  for (const size of [1, 2, 3, 7, 8, 13, 33]) {
    for (let index = 0; index < size; index++) {
      let made = rootOf(index, index + 1);
      for (const { side, from, to } of pathSteps(index, size)) {
        const other = rootOf(from, to);
        made = side === "left" ? hash(Uint8Array.of(1), other, made) : hash(Uint8Array.of(1), made, other);
      }
      expect(made.equals(rootOf(0, size))).toBe(true);
    }
  }
});

test("[A64] nothing of the drawing leaves its box or overlaps: nodes, joints and words go down in order", () => {
  fc.assert(
    fc.property(anyEntry, fc.integer({ min: 260, max: 900 }), ({ size, index }, width) => {
      const drawing = layOutPath(index, size, width);
      expect(drawing.nodesY).toHaveLength(drawing.joints.length + 1);
      for (const [at, joint] of drawing.joints.entries()) {
        expect(joint.x - joint.radius).toBeGreaterThanOrEqual(0);
        expect(joint.x + joint.radius).toBeLessThan(drawing.textX);
        expect(joint.y).toBeGreaterThan(drawing.nodesY[at] ?? Number.NaN);
        expect(joint.y).toBeLessThan(drawing.nodesY[at + 1] ?? Number.NaN);
        // Two lines of 12 px words and a gap to the next joint's.
        expect((drawing.joints[at + 1]?.textY ?? Number.POSITIVE_INFINITY) - joint.textY).toBeGreaterThan(30);
      }
      expect(drawing.height).toBeGreaterThan((drawing.nodesY.at(-1) ?? 0) + 9);
    }),
  );
});
