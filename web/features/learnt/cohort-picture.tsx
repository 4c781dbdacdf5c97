"use client";
import { useWidth } from "../../ui/use-width.ts";
import { type CohortFacts, pictureLabel, strokeCount } from "../../words/learnt.ts";

const TOP = 22;
const STROKE_HEIGHT = 64;
const HEIGHT = TOP + STROKE_HEIGHT + 26;
const PITCH_MAX = 36;

/**
 * One round as strokes: yours first, then the honest devices, then those that may collude with the coordinator. The
 * dashed line marks how many must confirm.
 */
export function CohortPicture({ facts }: { readonly facts: CohortFacts }) {
  const [box, width] = useWidth<HTMLDivElement>();
  return (
    <div ref={box} className="h-28 w-full max-w-[44rem]">
      {width > 0 && <Drawing width={width} facts={facts} />}
    </div>
  );
}

function Drawing({ width, facts }: { readonly width: number; readonly facts: CohortFacts }) {
  const { confirming, colluding } = facts;
  const rosterSize = strokeCount(facts);
  const pitch = Math.min(PITCH_MAX, (width - 4) / rosterSize);
  const x = (place: number) => Math.round((2 + (place - 0.5) * pitch) * 10) / 10;
  const firstHelper = rosterSize - colluding + 1;
  const limit = x(confirming + 0.5);
  const strokeWidth = Math.max(1, Math.min(2.5, pitch / 3));
  const places = Array.from({ length: rosterSize }, (_, index) => index + 1);
  const limitAtRight = limit > width / 2;
  return (
    <svg
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-label={pictureLabel(facts)}
    >
      {places.map((place) => {
        const kind = place === 1 ? "voice-3 you" : place < firstHelper ? "voice-3" : "voice-1";
        return (
          <path
            key={place}
            className={kind}
            strokeWidth={place === 1 ? strokeWidth + 0.5 : strokeWidth}
            d={`M${x(place)} ${TOP}v${STROKE_HEIGHT}`}
          />
        );
      })}
      <path className="threshold-bed" d={`M${limit} ${TOP - 8}v${STROKE_HEIGHT + 14}`} />
      <path className="threshold" d={`M${limit} ${TOP - 8}v${STROKE_HEIGHT + 14}`} />
      <text className="ink-text" x={limit} y={TOP - 12} textAnchor={limitAtRight ? "end" : "start"}>
        {confirming} must confirm
      </text>
      <text className="ink-text of-you" x={0} y={HEIGHT - 8}>
        yours
      </text>
      {colluding > 0 && (
        <text className="ink-note" x={x(rosterSize)} y={HEIGHT - 8} textAnchor="end">
          {colluding} may work with it
        </text>
      )}
    </svg>
  );
}
