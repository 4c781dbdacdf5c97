"use client";
import { type FormEvent, useId, useState } from "react";
import type { SeriesFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { rangeWords } from "../../words/data.ts";
import { seriesNote, seriesSentence, startSeries } from "../../words/trying.ts";
import { type Series, seriesToInput, textToSeries } from "./row-input.ts";

/** Lines are drawn of this many channels. */
const CHANNELS_DRAWN = 6;

/** A field for a pasted series, with the line that its numbers make. */
export function SeriesForm(props: {
  readonly features: SeriesFeatures;
  readonly noun: string;
  /** Null if the series cannot be used. */
  readonly onInput: (input: Float32Array | null) => void;
}) {
  const { features, noun, onInput } = props;
  const id = useId();
  const [text, setText] = useState(() => startSeries(features));
  const [asked, setAsked] = useState(false);
  const read = textToSeries(text, features);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    const input = read.ok ? seriesToInput(read.value, features) : read;
    onInput(input.ok ? input.value : null);
  };
  const error = asked && !read.ok ? read.error : null;
  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      <Field label="Numbers to paste" htmlFor={id} note={seriesNote(features)} error={error}>
        <textarea
          id={id}
          rows={Math.min(10, features.length)}
          className="mono"
          spellCheck={false}
          value={text}
          {...(error === null ? {} : { "aria-invalid": true, "aria-describedby": `${id}-error` })}
          onChange={({ target }) => setText(target.value)}
        />
      </Field>
      {read.ok && <Lines series={read.value} features={features} />}
      <p>
        <Button type="submit">Ask about this {noun}</Button>
      </p>
    </form>
  );
}

function Lines({ series, features }: { readonly series: Series; readonly features: SeriesFeatures }) {
  return (
    <div className="grid grid-cols-2 gap-4">
      {features.channels.slice(0, CHANNELS_DRAWN).map((channel, at) => {
        const values = series.map((step) => step[at] ?? 0);
        return (
          <figure key={channel.name}>
            <svg
              viewBox="0 0 100 40"
              preserveAspectRatio="none"
              role="img"
              aria-label={seriesSentence(channel, values)}
              className="block h-16 w-full border-y border-rule"
            >
              <polyline
                points={linePoints(values, channel.range)}
                className="fill-none stroke-ink"
                strokeWidth="1.5"
                vectorEffect="non-scaling-stroke"
              />
            </svg>
            <figcaption className="note mt-1">
              {channel.title ?? channel.name}, {rangeWords(channel)}
            </figcaption>
          </figure>
        );
      })}
    </div>
  );
}

/** In a box of 100 by 40, the range from bottom to top with a small margin. */
function linePoints(values: readonly number[], [low, high]: readonly [number, number]): string {
  return values
    .map((value, step) => {
      const across = values.length === 1 ? 50 : (100 * step) / (values.length - 1);
      return `${across.toFixed(2)},${(38 - (36 * (value - low)) / (high - low)).toFixed(2)}`;
    })
    .join(" ");
}
