"use client";
import { useEffect, useRef, useState } from "react";
import { FocusBox } from "../ui/focus-box.tsx";
import { useReader } from "../ui/use-reader.ts";
import { useWidth } from "../ui/use-width.ts";
import { formatSeconds, plural } from "../words/format.ts";
import { scoreSentence } from "../words/sentences.ts";
import { across } from "./across.ts";
import { down } from "./down.ts";
import { ScoreDrawing } from "./drawing.tsx";
import { countsAt, type ScoreRound, type ScoreState, scoreOf } from "./geometry.ts";
import type { Seen } from "./marks.tsx";
import type { OwnLine, PictureInput, ScoreResult } from "./projection.ts";

/** Narrower boxes get the score that runs down. */
const ACROSS_FROM_PX = 620;

export interface ScoreProps {
  readonly round: ScoreRound;
  /** The text beside the sum of a committed round. */
  readonly result?: ScoreResult | null;
  /** Who ended the round's run. */
  readonly endedBy?: string | null | undefined;
  /** Only on a participant's own page. */
  readonly you?: OwnLine | null;
  /** Closing of an earlier round of the run, to scale a live one. */
  readonly expectedEndS?: number | undefined;
}

/**
 * The picture of a round. Arrow keys and the pointer read the counts at a second; lines cannot be selected.
 * `CountsTable` shows the same counts; put it near.
 */
export function Score({ round, result = null, you = null, endedBy, expectedEndS }: ScoreProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const score = scoreOf(round, { expectedEndS });
  const { seen, merging } = useArrivals(score.voices.length, score.sentLines, score.state);
  const closesBy =
    round.phase === "collecting" && round.deadlineS !== null
      ? `closes by ${formatSeconds(round.deadlineS)}`
      : null;
  const input: PictureInput = { score, closesBy, you, result, endedBy };
  // The height does not depend on the width, except that a narrow picture runs down.
  const layout = width === 0 || width >= ACROSS_FROM_PX ? across : down;
  const picture = layout(input, width === 0 ? ACROSS_FROM_PX : width);
  const { frame } = picture;
  const readable = round.counts.filter((row) => row.atS <= score.endS);
  const { step, handlers } = useReader(readable.length, (xPx, yPx) => {
    const time = frame.direction === "across" ? xPx : yPx;
    const share = (time - frame.timeStart) / (frame.timeEnd - frame.timeStart);
    if (share < 0 || share > 1) return null;
    const { atS } = countsAt(readable, share * score.endS);
    return readable.findIndex((row) => row.atS === atS);
  });
  const reading = step === null ? undefined : readable[step];
  return (
    <div ref={box}>
      <FocusBox label="Score of the round; arrow keys read the counts" {...handlers}>
        {width === 0 ? (
          <svg width="100%" height={frame.height} aria-hidden="true" />
        ) : (
          <ScoreDrawing
            {...input}
            picture={picture}
            width={width}
            label={scoreSentence(round, endedBy)}
            readingS={reading?.atS ?? null}
            seen={seen}
            merging={merging}
          />
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

/**
 * What was already drawn, so that only arrivals fade in, and whether the sum was opened while the page was watching.
 */
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
