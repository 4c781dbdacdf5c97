"use client";
import { useEffect, useRef, useState } from "react";
import { formatSeconds, plural } from "../../lib/format.ts";
import { countsAt, type ScoreRound, type ScoreState, scoreOf } from "../../lib/score-geometry.ts";
import { scoreSentence } from "../../lib/sentences.ts";
import { FocusBox } from "../focus-box.tsx";
import { useReader } from "../use-reader.ts";
import { useWidth } from "../use-width.ts";
import type { OwnLine, ScoreResult, Seen } from "./marks.tsx";
import { acrossFrame, ScoreAcross } from "./score-across.tsx";
import { downFrame, ScoreDown } from "./score-down.tsx";

/** Narrower boxes get the score that runs down. */
const ACROSS_FROM_PX = 620;

export interface ScoreProps {
  readonly round: ScoreRound;
  /** Beside the sum of a committed round. */
  readonly result?: ScoreResult | null;
  /** On a participant's own page only. */
  readonly you?: OwnLine | null;
  /** Closing of an earlier round of the run: the scale of a live one. */
  readonly expectedEndS?: number;
}

/**
 * The picture of a round. Arrow keys and the pointer read the counts at a second; no line can be asked about.
 * The table of the same counts is `RoundCountsTable`; put it near.
 */
export function Score({ round, result = null, you = null, expectedEndS }: ScoreProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const score = scoreOf(round, expectedEndS === undefined ? {} : { expectedEndS });
  const { seen, merging } = useArrivals(score.voices.length, score.sentLines, score.state);
  const across = width >= ACROSS_FROM_PX;
  const readable = round.counts.filter((row) => row.atS <= score.endS);
  const { step, handlers } = useReader(readable.length, (xPx, yPx) => {
    const frame = across ? acrossFrame(width, score) : null;
    const share = frame
      ? (xPx - frame.x0) / (frame.x1 - frame.x0)
      : (yPx - downFrame(width, score).y(0)) / 300;
    if (share < 0 || share > 1) return null;
    const atS = countsAt(readable, share * score.endS).atS;
    return readable.findIndex((row) => row.atS === atS);
  });
  const reading = step === null ? undefined : readable[step];
  const height = across ? acrossFrame(width, score).height : downFrame(Math.max(width, 1), score).height;
  const closesBy =
    round.phase === "collecting" && round.deadlineS !== null
      ? `closes by ${formatSeconds(round.deadlineS)}`
      : null;
  const drawing = {
    width,
    score,
    label: scoreSentence(round),
    closesBy,
    result,
    you,
    readingS: reading?.atS ?? null,
    seen,
    merging,
  };
  return (
    <div ref={box}>
      <FocusBox label="Score of the round; arrow keys read the counts" {...handlers}>
        {width === 0 ? (
          <svg width="100%" height={height} aria-hidden="true" />
        ) : across ? (
          <ScoreAcross {...drawing} />
        ) : (
          <ScoreDown {...drawing} />
        )}
      </FocusBox>
      <output className="note block min-h-6 pt-1">
        {reading &&
          `At ${formatSeconds(reading.atS)}: ${plural(reading.joined, "device")} joined, ${reading.trained} trained, ${reading.sent} sent, ${reading.left} left.`}
        {!reading && score.devicesPerLine > 1 && `One line is ${score.devicesPerLine} devices.`}
      </output>
    </div>
  );
}

/** What was already drawn, so that only arrivals fade; and whether the sum was opened while one watched. */
function useArrivals(
  joined: number,
  sent: number,
  state: ScoreState,
): { seen: Seen | null; merging: boolean } {
  const before = useRef<{ joined: number; sent: number; state: ScoreState } | null>(null);
  const [merging, setMerging] = useState(false);
  const last = before.current;
  useEffect(() => {
    if (before.current?.state === "live" && state === "committed") setMerging(true);
    else if (state === "live") setMerging(false);
    before.current = { joined, sent, state };
  }, [joined, sent, state]);
  return { seen: last === null ? null : { joined: last.joined, sent: last.sent }, merging };
}
