"use client";
import { LineChart } from "../../chart/line-chart.tsx";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import {
  TRIAL_IS_OLD,
  trialEnd,
  trialNote,
  trialObstacle,
  trialProgress,
  trialSentence,
} from "../../words/workshop-trial.ts";
import { trialChart, trialLossChart } from "../../words/workshop-trial-charts.ts";
import { NumberedPart } from "./numbered-part.tsx";
import type { TrialState } from "./use-trial.ts";
import type { Workshop } from "./use-workshop.ts";

/** Devices that the sample is split over, to see how the model fares with a few rows each. */
const PRETEND_DEVICES = 40;

/** Part 4: trains the model on the sample, in this browser, before anyone is asked. */
export function TrialPart({ workshop, trial }: { readonly workshop: Workshop; readonly trial: TrialState }) {
  const { rows, result } = workshop;
  const { view, task, isRunning } = trial;
  const count = rows.state === "read" ? rows.rows.dataset.count : null;
  const obstacle = trialObstacle(rows.state, count, result?.preview != null);
  const sentence = view === null || task === null ? null : trialSentence(view, task);
  return (
    <NumberedPart
      part={4}
      note={view === null ? "Trains on the sample in this browser. Nothing is sent." : trialNote(view)}
    >
      <div className="grid gap-6">
        {view === null || task === null ? (
          <p className="text-ink-2">
            {obstacle ?? "See what the model learns before you ask anyone to take part."}
          </p>
        ) : (
          <>
            {trial.isOld && <p className="text-stop">{TRIAL_IS_OLD}</p>}
            <p className="read min-h-[2lh]">{sentence}</p>
            <LiveRegion text={isRunning ? "" : (sentence ?? "")} />
            <div className="cols2">
              <LineChart {...trialChart(view, task)} />
              <LineChart {...trialLossChart(view, task)} />
            </div>
          </>
        )}
        {trial.problem !== null && !isRunning && <ErrorLine>{trial.problem}</ErrorLine>}
        <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
          {isRunning && view !== null ? (
            <>
              <Button onClick={trial.stop}>Stop</Button>
              <span className="note" role="status">
                {trialProgress(view)}
              </span>
            </>
          ) : (
            <>
              <Button disabled={obstacle !== null} onClick={() => trial.start(null)}>
                {view === null ? "Try it" : "Try again"}
              </Button>
              {(count ?? 0) >= 2 * PRETEND_DEVICES && (
                <Button
                  kind="quiet"
                  disabled={obstacle !== null}
                  onClick={() => trial.start(PRETEND_DEVICES)}
                >
                  Train each pass on as few rows as one of {PRETEND_DEVICES} devices would have
                </Button>
              )}
              {view !== null && <span className="note">{obstacle ?? trialEnd(view)}</span>}
            </>
          )}
        </div>
      </div>
    </NumberedPart>
  );
}
