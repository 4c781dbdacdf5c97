"use client";
import { useId } from "react";

/** Up to this many classes are shown as squares to tap; more become a list. */
const SQUARES_MAX = 12;

/** Picks the class of an example. */
export function ClassPicker(props: {
  readonly legend: string;
  readonly classes: readonly string[];
  readonly value: number | null;
  readonly onPick: (label: number) => void;
  /** What is wrong, and what to do. */
  readonly error?: string | null;
}) {
  const { legend, classes, value, onPick, error = null } = props;
  const name = useId();
  const describedBy = error === null ? {} : { "aria-describedby": `${name}-error` };
  return (
    <div>
      {classes.length > SQUARES_MAX ? (
        <label className="field max-w-xs">
          {legend}
          <select
            value={value ?? ""}
            aria-invalid={error !== null}
            {...describedBy}
            onChange={(event) => onPick(Number(event.target.value))}
          >
            <option value="" disabled>
              Choose
            </option>
            {classes.map((label, index) => (
              <option key={label} value={index}>
                {label}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <fieldset {...describedBy}>
          <legend className="mb-1.5 text-sm text-ink-2">{legend}</legend>
          <div className="flex flex-wrap gap-1.5">
            {classes.map((label, index) => (
              <label key={label} className="relative">
                <input
                  type="radio"
                  name={name}
                  checked={value === index}
                  onChange={() => onPick(index)}
                  className="peer absolute inset-0 h-full w-full cursor-pointer opacity-0"
                />
                <span className="flex min-h-11 min-w-11 items-center justify-center rounded-md border border-edge bg-sheet px-2.5 peer-checked:border-ink peer-checked:bg-ink peer-checked:text-paper peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-focus">
                  {label}
                </span>
              </label>
            ))}
          </div>
        </fieldset>
      )}
      {error !== null && (
        <p id={`${name}-error`} role="alert" className="mt-1.5 text-sm text-stop">
          {error}
        </p>
      )}
    </div>
  );
}
