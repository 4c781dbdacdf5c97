import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Counts, Phase } from "#shared/protocol/api.ts";
import { meetings, wordsOf } from "#test/kit/score-words.ts";
import { roundViewOf } from "#test/kit/web-views.ts";
import { across } from "#web/score/across.ts";
import { down } from "#web/score/down.ts";
import { type ScoreRound, scoreOf } from "#web/score/geometry.ts";
import { GAP, placeInLanes } from "#web/score/labels.ts";
import type { Layout, PictureInput } from "#web/score/projection.ts";
import { textWidth } from "#web/ui/text-width.ts";

const PHASES = [
  "recruiting",
  "training",
  "advertising",
  "sharing",
  "collecting",
  "confirming",
  "unmasking",
] as const;
const ENDS = ["live", "committed", "failed", "stopped", "voided"] as const;

/** A round of `devices`, as the API gives it at a moment: counts once a second, ends of phases to the millisecond. */
const rounds = (devices: fc.Arbitrary<number>): fc.Arbitrary<ScoreRound> =>
  fc
    .record({
      devices,
      lengthS: fc.oneof(
        fc.double({ min: 1, max: 12, noNaN: true }),
        fc.double({ min: 12, max: 3_600, noNaN: true }),
      ),
      shares: fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 }),
      nowShare: fc.double({ min: 0, max: 1, noNaN: true }),
      needed: fc.double({ min: 0.5, max: 1, noNaN: true }),
      leave: fc.double({ min: 0, max: 0.5, noNaN: true }),
      end: fc.constantFrom(...ENDS),
      goalShare: fc.double({ min: 0.6, max: 1.2, noNaN: true }),
    })
    .map(({ devices, lengthS, shares, nowShare, needed, leave, end, goalShare }) => {
      const total = shares.reduce((sum, share) => sum + share, 0);
      const endsS = shares.map(
        (_, index) => (lengthS * shares.slice(0, index + 1).reduce((sum, share) => sum + share, 0)) / total,
      );
      const over = end === "committed" || end === "voided";
      const nowS = over ? lengthS : lengthS * nowShare;
      const phaseIndex = endsS.findIndex((endS) => endS > nowS);
      const phaseEndsS: Partial<Record<Phase, number>> = {};
      for (const [index, phase] of PHASES.entries())
        if ((endsS[index] ?? 0) <= nowS + 1e-9) phaseEndsS[phase] = endsS[index] ?? 0;
      const leavers = Math.floor(leave * devices);
      const upTo = (from: number, to: number, count: number, atS: number) =>
        atS < from ? 0 : Math.min(count, Math.floor((count * (atS - from)) / Math.max(1e-9, to - from)));
      const at = (index: number) => endsS[index] ?? lengthS;
      const countsAt = (atS: number): Counts => ({
        atS,
        joined: Math.max(1, upTo(0, at(0), devices, atS)),
        trained: upTo(at(0), at(2), devices - Math.floor(leavers / 2), atS),
        sent: upTo(at(3), at(4), devices - leavers, atS),
        left: upTo(at(0), at(4), leavers, atS),
      });
      const steps = Math.min(60, Math.ceil(nowS));
      const counts = Array.from({ length: steps + 1 }, (_, index) =>
        countsAt(Math.min(nowS, (index * nowS) / Math.max(1, steps))),
      );
      const last = countsAt(nowS);
      const known = phaseEndsS.advertising !== undefined;
      const stopped = end === "stopped";
      return roundViewOf({
        phase: end === "live" ? (PHASES[phaseIndex] ?? "unmasking") : stopped ? "failed" : end,
        code: stopped ? "ABORTED_BY_OPERATOR" : end === "failed" ? "U3_BELOW_T" : null,
        opened: over,
        nowS,
        deadlineS: end === "live" ? lengthS * 1.5 : null,
        phaseEndsS,
        ...last,
        shared: phaseEndsS.sharing === undefined ? null : devices - Math.floor(leavers / 2),
        survivors: over ? Math.max(1, last.sent) : null,
        threshold: known ? Math.max(1, Math.round(needed * devices)) : null,
        goal: Math.max(1, Math.round(goalShare * devices)),
        counts,
      });
    });

const pictures = (devices: fc.Arbitrary<number>) =>
  fc.record({
    round: rounds(devices),
    width: fc.integer({ min: 320, max: 1_296 }),
    line: fc.option(fc.integer({ min: 1, max: 40 })),
    hasDeadline: fc.boolean(),
    endedBy: fc.option(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,30}[a-z0-9]$/)),
  });

interface Case {
  readonly round: ScoreRound;
  readonly width: number;
  readonly line: number | null;
  readonly hasDeadline: boolean;
  readonly endedBy: string | null;
}

function inputOf({ round, line, hasDeadline, endedBy }: Case): PictureInput {
  return {
    score: scoreOf(round),
    closesBy: hasDeadline ? "closes by 40\u00a0s" : null,
    you: line === null ? null : { line, label: "you" },
    endedBy,
    result: { title: `version ${round.round}`, note: "0.681 ± 0.008" },
  };
}

function meetingsOf(one: Case, layout: Layout = one.width < 620 ? down : across): string[] {
  const picture = layout(inputOf(one), one.width);
  return meetings(wordsOf(picture), one.width, picture.frame.height);
}

describe("[V2] the words of a score", () => {
  test("never meet and never leave the picture, for rounds of 1 to 40 devices at widths of 320 to 1296 px", () => {
    const few = pictures(fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(few, (one) => {
        expect(meetingsOf(one)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  test("never meet if a line stands for several devices", () => {
    fc.assert(
      fc.property(pictures(fc.integer({ min: 41, max: 12_000 })), (one) => {
        expect(meetingsOf(one)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("would meet if none climbed: the check sees it", () => {
    // The planted fault: every word above the lines stands in the lowest lane, where it wants to stand.
    const flat: Layout = (input, width) => {
      const picture = across(input, width);
      const lowest = picture.frame.barSpan[0] - 5;
      return {
        ...picture,
        annotations: picture.annotations.map((mark) =>
          mark.kind === "text" && mark.y < lowest ? { ...mark, y: lowest } : mark,
        ),
      };
    };
    const small = roundViewOf({
      phaseEndsS: { recruiting: 2, training: 3, advertising: 5, sharing: 5.3, collecting: 6.5 },
    });
    const one: Case = { round: small, width: 700, line: null, hasDeadline: false, endedBy: null };
    expect(meetingsOf(one)).toEqual([]);
    expect(meetingsOf(one, flat)).not.toEqual([]);
  });
});

describe("[V3] a word above the lines", () => {
  const label = fc.record({
    text: fc.constantFrom("8 joined", "8 trained", "8 agreed on keys", "now, 3.1 s", "8 sent"),
    x: fc.integer({ min: 84, max: 700 }),
    side: fc.constantFrom("start" as const, "end" as const),
    tall: fc.boolean(),
  });
  const cases = fc.array(label, { minLength: 1, maxLength: 6 });
  const place = (labels: readonly { text: string; x: number; side: "start" | "end"; tall: boolean }[]) =>
    placeInLanes(
      labels.map((one) => ({ ...one, style: "ink-text", className: "ink-text" })),
      { from: 0, to: 705 },
      { from: 0, to: 46 },
    );
  const boxOf = (one: ReturnType<typeof place>[number]) => {
    const width = textWidth(one.text, "ink-text");
    return one.anchor === "start" ? [one.textX, one.textX + width] : [one.textX - width, one.textX];
  };

  test("keeps 12 px to all others in its lane, and no line of a higher word crosses it", () => {
    fc.assert(
      fc.property(cases, (labels) => {
        const placed = place(labels);
        for (const one of placed) {
          const [from = 0, to = 0] = boxOf(one);
          for (const other of placed) {
            if (one === other) continue;
            const [otherFrom = 0, otherTo = 0] = boxOf(other);
            if (one.lane === other.lane) expect(from >= otherTo + GAP || to <= otherFrom - GAP).toBe(true);
            if (other.lane > one.lane) expect(other.x + 1 <= from - 5 || other.x - 1 >= to + 5).toBe(true);
          }
        }
      }),
    );
  });

  test("takes its own side, then the other, then climbs", () => {
    const at = (x: number, side: "start" | "end" = "start") => ({ text: "8 joined", x, side, tall: false });
    expect(place([at(200)])[0]).toMatchObject({ lane: 0, anchor: "start", textX: 205 });
    expect(place([at(690)])[0]).toMatchObject({ lane: 0, anchor: "end", textX: 685 });
    const [first, second] = place([at(200, "end"), at(201)]);
    expect([first?.anchor, second?.anchor]).toEqual(["end", "start"]);
    // Its own side is taken, and so is the other: one lane up.
    const three = place([at(200, "end"), at(205), at(203)]);
    expect(three[2]).toMatchObject({ lane: 1, anchor: "start" });
  });

  test("is dropped if it is optional and the lowest lane is full", () => {
    const row = {
      text: "8 joined",
      x: 100,
      side: "start" as const,
      style: "ink-text" as const,
      className: "",
    };
    const closes = { ...row, text: "closes by 40 s", x: 110, optional: true };
    const span = { from: 90, to: 170 };
    expect(placeInLanes([row, closes], span, { from: 0, to: 0 })).toHaveLength(1);
  });
});
