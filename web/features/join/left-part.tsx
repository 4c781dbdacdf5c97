"use client";
import { memo, type ReactNode, useEffect, useMemo, useState } from "react";
import type { ContributionDetail, ContributionSummary, Participant, TaskSlice } from "#client/index.ts";
import { looksUniform } from "#shared/stats/uniform.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import {
  leftSentence,
  leftWords,
  masksWords,
  partRows,
  ringLabel,
  roundChoice,
  shortNumber,
  tileSentence,
  totalByteCount,
  updateWords,
} from "../../words/contribution.ts";
import { formatCount } from "../../words/format.ts";
import { Bars } from "./bars.tsx";
import { Part } from "./part.tsx";
import { type Paint, PixelCanvas } from "./pixel-canvas.tsx";
import { fullStrength, strengthOf, type TilePlan, tilePlan } from "./tiles.ts";

/** Part 4: the device's own update beside the bytes that left, and the bytes themselves. */
export const LeftPart = memo(function LeftPart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly latest: ContributionDetail | null;
  readonly contributions: readonly ContributionSummary[];
}) {
  const { participant, task, latest, contributions } = props;
  const [chosenId, setChosenId] = useState<string | null>(null);
  const detail = useDetail(participant, latest, chosenId);
  if (detail === null) {
    return (
      <Part number={4} id="left" title="What left this device">
        <p className="note">
          Nothing has left. After the first round, this part shows each byte that left beside what stayed.
        </p>
      </Part>
    );
  }
  const total = totalByteCount(detail.parts);
  return (
    <Part number={4} id="left" title="What left this device" note={<Note task={task} detail={detail} />}>
      {contributions.length > 1 && (
        <label className="field mb-5 max-w-56">
          Round
          <select value={detail.id} onChange={(event) => setChosenId(event.target.value)}>
            {contributions.map((one) => (
              <option key={one.id} value={one.id}>
                {roundChoice(one)}
              </option>
            ))}
          </select>
        </label>
      )}
      <p className="read mb-5">{leftSentence(detail.parts)}</p>
      {detail.sample !== null && detail.histograms !== null && (
        <Equation task={task} detail={detail} sample={detail.sample} histograms={detail.histograms} />
      )}
      <Parts participant={participant} task={task} detail={detail} total={total} />
    </Part>
  );
});

/** The newest contribution comes from the view; earlier ones are fetched from the device's store. */
function useDetail(
  participant: Participant,
  latest: ContributionDetail | null,
  chosenId: string | null,
): ContributionDetail | null {
  const [earlier, setEarlier] = useState<ContributionDetail | null>(null);
  const wanted = chosenId === null || chosenId === latest?.id ? null : chosenId;
  useEffect(() => {
    let over = false;
    if (wanted !== null) {
      void participant.contribution(wanted).then((found) => {
        if (!over) setEarlier(found);
      });
    }
    return () => {
      over = true;
    };
  }, [participant, wanted]);
  return wanted !== null && earlier?.id === wanted ? earlier : latest;
}

function Note({ task, detail }: { readonly task: TaskSlice; readonly detail: ContributionDetail }) {
  const plan = useMemo(
    () => (detail.sample === null ? null : tilePlan(task.task, detail.sample.update.length)),
    [task.task, detail.sample],
  );
  return (
    <>
      Round {detail.round}. {plan !== null && tileSentence(plan, task.task.aggregation.ring === 32)}
    </>
  );
}

type Sample = NonNullable<ContributionDetail["sample"]>;
type Histograms = NonNullable<ContributionDetail["histograms"]>;

/** How the squares of each of the three pictures are painted. */
function usePaints(sample: Sample, histograms: Histograms, plan: TilePlan) {
  return useMemo(() => {
    const full = fullStrength(sample.update, plan);
    const at = (cell: number) => plan.indexByCell[cell] ?? -1;
    const update: Paint = (cell) => {
      if (at(cell) < 0) return null;
      const value = sample.update[at(cell)] ?? 0;
      return { you: value > 0, strength: strengthOf(value, full) };
    };
    const ring =
      (values: Uint32Array): Paint =>
      (cell) =>
        at(cell) < 0 ? null : { you: false, strength: (values[at(cell)] ?? 0) / histograms.left.to };
    return { update, masks: ring(sample.masks), left: ring(sample.left) };
  }, [sample, histograms, plan]);
}

/** Update + masks = what left, as squares and as histograms. */
function Equation(props: {
  readonly task: TaskSlice;
  readonly detail: ContributionDetail;
  readonly sample: Sample;
  readonly histograms: Histograms;
}) {
  const { task, detail, sample, histograms } = props;
  const plan = useMemo(() => tilePlan(task.task, sample.update.length), [task.task, sample]);
  const paints = usePaints(sample, histograms, plan);
  const isPicture = plan.tile !== null;
  const flat = looksUniform(histograms.left.counts);
  const canvas = (paint: Paint, label: string) => <Squares plan={plan} paint={paint} label={label} />;
  const ring = ["0", formatCount(histograms.left.to - 1)] as const;
  const bits = Math.log2(histograms.left.to);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-x-3.5 gap-y-2 sm:grid-cols-[minmax(0,1fr)_1.5rem_minmax(0,1fr)_1.5rem_minmax(0,1fr)]">
      <Term
        title="Your update"
        you
        words={updateWords(isPicture)}
        canvas={canvas(paints.update, "Your update: structured, most changes small")}
        bars={
          <Bars
            histogram={histograms.update}
            colour="you"
            ends={[shortNumber(histograms.update.from), shortNumber(histograms.update.to)]}
            unit="change"
            label="Histogram of your update: most changes are close to zero."
          />
        }
      />
      <Sign>+</Sign>
      <Term
        title="Masks"
        words={masksWords(detail.rosterSize)}
        canvas={canvas(paints.masks, "Masks: noise")}
        bars={
          <Bars
            histogram={histograms.masks}
            colour="ink"
            ends={ring}
            unit="value"
            label={ringLabel("the masks", bits, false)}
          />
        }
      />
      <Sign>=</Sign>
      <Term
        title="What left"
        words={leftWords(bits, flat)}
        canvas={canvas(paints.left, "What left: noise")}
        bars={
          <Bars
            histogram={histograms.left}
            colour="ink"
            ends={ring}
            unit="value"
            label={ringLabel("what left", bits, flat)}
          />
        }
      />
    </div>
  );
}

function Squares(props: { readonly plan: TilePlan; readonly paint: Paint; readonly label: string }) {
  const { plan, paint, label } = props;
  return (
    <PixelCanvas
      columns={plan.columns}
      rows={plan.rows}
      paint={paint}
      label={label}
      className="w-full border border-rule"
    />
  );
}

function Term(props: {
  readonly title: string;
  readonly words: string;
  readonly you?: boolean;
  readonly canvas: ReactNode;
  readonly bars: ReactNode;
}) {
  return (
    <figure className="grid min-w-0 grid-cols-[minmax(0,1fr)] content-start gap-y-2.5 sm:row-span-3 sm:grid-rows-subgrid">
      <figcaption>
        <h3 className={props.you ? "text-you-text" : ""}>{props.title}</h3>
        <p className="text-sm text-ink-2">{props.words}</p>
      </figcaption>
      {props.canvas}
      {props.bars}
    </figure>
  );
}

/** The sign between the pictures, beside the squares and under the words. */
function Sign({ children }: { readonly children: string }) {
  return (
    <span className="self-center text-center font-serif text-[1.6rem] leading-none text-ink-2 sm:row-span-3 sm:self-auto sm:grid sm:grid-rows-subgrid">
      <span className="sm:row-start-2 sm:self-center">{children}</span>
    </span>
  );
}

function Parts(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly detail: ContributionDetail;
  readonly total: number;
}) {
  const { participant, task, detail, total } = props;
  const [saving, setSaving] = useState<"idle" | "saving" | "gone">("idle");
  const save = async () => {
    setSaving("saving");
    const blob = await participant.downloadContribution(detail.id);
    setSaving(blob === null ? "gone" : "idle");
    if (blob !== null) saveBlob(blob, `chorus-${task.task.slug}-round-${detail.round}.tar`);
  };
  const rows = partRows(task, detail);
  return (
    <div className="mt-8">
      <DataTable
        caption={`What left this device in round ${detail.round}`}
        rows={[...rows, { what: "Together", byteCount: total, who: null }]}
        rowKey={({ what }) => what}
        columns={[
          { label: "What", cell: ({ what, who }) => (who === null ? <strong>{what}</strong> : what) },
          {
            label: "Bytes",
            numeric: true,
            cell: ({ byteCount, who }) =>
              who === null ? <strong>{formatCount(byteCount)}</strong> : formatCount(byteCount),
          },
          {
            label: "Who can read it",
            cell: ({ who }) =>
              who ?? (
                <Button
                  kind="quiet"
                  className="-my-2 -ml-1 text-left text-sm"
                  disabled={saving === "saving"}
                  onClick={() => void save()}
                >
                  Download exactly these bytes
                </Button>
              ),
          },
        ]}
      />
      {saving === "gone" && (
        <p role="alert" className="note mt-2">
          These bytes are no longer on this device.
        </p>
      )}
    </div>
  );
}
