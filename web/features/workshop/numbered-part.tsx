import type { ReactNode } from "react";
import type { DraftPart } from "#shared/sample/draft-problem.ts";
import { Section } from "../../ui/section.tsx";
import { PART_TITLES } from "../../words/workshop.ts";

/** A part of the workshop with its number. */
export function NumberedPart(props: {
  readonly part: DraftPart;
  readonly title?: string;
  readonly note?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  const { part, title = PART_TITLES[part], note, className = "", children } = props;
  return (
    <Section
      id={`part-${part}`}
      className={className}
      note={note}
      title={
        <>
          <span className="part-number">{part}</span>
          {title}
        </>
      }
    >
      {children}
    </Section>
  );
}
