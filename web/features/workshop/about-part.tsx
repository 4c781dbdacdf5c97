"use client";
import type { ReactNode } from "react";
import type { DraftAbout } from "#shared/sample/draft.ts";
import { NumberedPart } from "./numbered-part.tsx";
import type { Workshop } from "./use-workshop.ts";
import { type Problems, WrongField, wrongIf } from "./wrong.tsx";

interface AboutPartProps {
  readonly workshop: Workshop;
  readonly problems: Problems;
}

/** Part 7: what people are told about the purpose before they agree. */
export function AboutPart({ workshop, problems }: AboutPartProps) {
  const { draft } = workshop;
  if (draft === null) return null;
  const field = (name: keyof DraftAbout, label: string, more: Partial<AboutFieldProps> = {}) => (
    <AboutField {...{ workshop, problems, name, label }} value={draft.about[name]} {...more} />
  );
  return (
    <NumberedPart part={7} note="Shown to people before they agree.">
      <div className="cols2">
        <div className="grid content-start gap-3.5">
          {field("purpose", "Purpose, one sentence after “Help a model …”", {
            placeholder: "foresee who comes back to hospital within 30 days",
          })}
          {field("noun", "What a row is, one and many", { placeholder: "record, records" })}
          {field("intendedUse", "Intended use", { isLong: true })}
        </div>
        <div className="grid content-start gap-3.5">
          {field("notFor", "Not for", {
            isLong: true,
            placeholder: "For example: deciding on discharge, insurance, or payment",
          })}
          {field("contact", "Who answers questions", { placeholder: "name@place.org or https://..." })}
          {field("slug", "Address", {
            isFixed: draft.isNext,
            note: (
              <>
                People join at <code>/join/{draft.about.slug}</code>.{" "}
                {!draft.isNext ? "It cannot be changed later." : "A new version keeps it."}
              </>
            ),
          })}
        </div>
      </div>
    </NumberedPart>
  );
}

interface AboutFieldProps extends AboutPartProps {
  readonly name: keyof DraftAbout;
  readonly label: string;
  readonly value: string;
  readonly isLong?: boolean;
  readonly isFixed?: boolean;
  readonly placeholder?: string;
  readonly note?: ReactNode;
}

function AboutField(props: AboutFieldProps) {
  const {
    workshop,
    problems,
    name,
    label,
    value,
    isLong = false,
    isFixed = false,
    placeholder,
    note,
  } = props;
  const wrong = problems.of(name);
  const shared = {
    ...wrongIf(name, wrong),
    value,
    placeholder,
    readOnly: isFixed,
    autoComplete: "off",
    onChange: (event: { readonly target: { readonly value: string } }) =>
      workshop.setAbout(name, event.target.value),
  };
  return (
    <div className="field">
      <label className="field" htmlFor={shared.id}>
        {label}
        {isLong ? <textarea rows={3} {...shared} /> : <input {...shared} />}
      </label>
      <WrongField field={name} problems={problems} />
      {note !== undefined && <p className="note">{note}</p>}
    </div>
  );
}
