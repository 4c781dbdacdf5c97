"use client";
import { useState } from "react";
import type { RoundDetail } from "#shared/protocol/api.ts";
import type { OwnAudit } from "../../data/log-messages.ts";
import { replayEndS, roundAt } from "../../score/replay.ts";
import { Score } from "../../score/score.tsx";
import { replayPlace, replayWords } from "../../words/audit.ts";
import { resultOf } from "../run/round-result.ts";

/** The picture of the round, drawn from its replayed log, at any second. */
export function RoundReplay({ audit }: { readonly audit: OwnAudit }) {
  const [round, eventCount] = replayedRound(audit);
  const endS = replayEndS(round);
  const [atS, setAtS] = useState(endS);
  const shown = roundAt(round, atS);
  const place = replayPlace(round, atS, endS);
  return (
    <figure className="pt-7">
      <Score round={shown} result={resultOf(shown)} />
      <figcaption>
        <label className="mt-4 grid grid-cols-[auto_minmax(0,1fr)_5.5rem] items-center gap-4 text-sm text-ink-2">
          <span>Replay</span>
          <input
            type="range"
            min={0}
            max={endS}
            step={1}
            value={atS}
            aria-label="Replay the round, seconds since it opened"
            aria-valuetext={place}
            onChange={(event) => setAtS(Number(event.target.value))}
          />
          <output>{place}</output>
        </label>
        <p className="note mt-1.5">{replayWords(eventCount)}</p>
      </figcaption>
    </figure>
  );
}

/** Counts and phase ends of the replay in place of those that the coordinator shows; null events if it shows no log. */
function replayedRound({ record, replay }: OwnAudit): readonly [RoundDetail, number | null] {
  if (replay === null) return [record, null];
  const { counts, phaseEndsS, eventCount } = replay;
  return [{ ...record, counts, phaseEndsS }, eventCount];
}
