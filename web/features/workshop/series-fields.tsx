"use client";
import type { DraftChannel, DraftData } from "#shared/sample/draft.ts";
import { readAs } from "#shared/sample/draft-sample.ts";
import { numberedWords } from "../../words/workshop-columns.ts";
import type { Workshop } from "./use-workshop.ts";
import { type Problems, WrongField, wrongIf } from "./wrong.tsx";

interface SeriesFieldsProps {
  readonly workshop: Workshop;
  readonly problems: Problems;
}

type Series = Extract<DraftData, { kind: "series" }>;

/** Length and channels of a series; nothing for other kinds of rows. */
export function SeriesFields({ workshop, problems }: SeriesFieldsProps) {
  const data = workshop.draft?.data;
  if (data?.kind !== "series") return null;
  const change = (fields: Partial<Series>) =>
    workshop.change((draft) => ({ ...draft, data: { ...data, ...fields } }));
  const changeChannel = (at: number, fields: Partial<DraftChannel>) =>
    change({
      channels: data.channels.map((channel, index) => (index === at ? { ...channel, ...fields } : channel)),
    });
  const wrong = problems.of("length");
  return (
    <div className="grid gap-4">
      <div className="field max-w-48">
        <label className="field">
          Steps of every series
          <input
            {...wrongIf("length", wrong)}
            value={data.length}
            inputMode="numeric"
            onChange={(event) => change({ length: event.target.value })}
          />
        </label>
        <WrongField field="length" problems={problems} />
      </div>
      {data.channels.map((channel, at) => (
        <fieldset
          key={channel.name}
          className="column-edit bg-wash p-4"
          aria-label={`Channel ${channel.name}`}
        >
          <p className="wide text-sm">
            <code>{channel.name}0</code> to{" "}
            <code>
              {channel.name}
              {Number(data.length) - 1}
            </code>
          </p>
          {CHANNEL_FIELDS.map(([field, label]) => {
            const name = `channels.${at}.${field === "from" || field === "to" ? "range" : field}`;
            const sentence = problems.of(name);
            return (
              <div key={field} className="field">
                <label className="field">
                  {label}
                  <input
                    {...(field === "to" ? {} : wrongIf(name, sentence))}
                    value={channel[field]}
                    inputMode={field === "from" || field === "to" ? "decimal" : "text"}
                    autoComplete="off"
                    onChange={(event) => changeChannel(at, { [field]: event.target.value })}
                  />
                </label>
                {field !== "to" && <WrongField field={name} problems={problems} />}
              </div>
            );
          })}
        </fieldset>
      ))}
    </div>
  );
}

const CHANNEL_FIELDS = [
  ["title", "Name that participants see"],
  ["unit", "Unit"],
  ["from", "From"],
  ["to", "To"],
] as const;

/** Numbered columns are steps of a series, or single measurements; the person says which. */
export function SeriesSwitch({ workshop }: { readonly workshop: Workshop }) {
  const { draft, sample } = workshop;
  const { table, proposal } = sample ?? {};
  const series = proposal?.series;
  if (draft === null || draft.base !== null || table == null || proposal == null || series == null)
    return null;
  if (draft.data.kind === "pictures") return null;
  const kind = draft.data.kind === "series" ? "table" : "series";
  const { sentence, button } = numberedWords(kind, series.numbered);
  return (
    <p className="note">
      {sentence}{" "}
      <button
        type="button"
        className="link underline"
        onClick={() => workshop.change((now) => readAs(now, kind, { profile: table, proposal }))}
      >
        {button}
      </button>
    </p>
  );
}
