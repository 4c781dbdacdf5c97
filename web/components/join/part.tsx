import type { ReactNode } from "react";
import { Section } from "../section.tsx";

/** A numbered part of the participant's page; finished parts stay, so the page is its own record. */
export function Part(props: {
  readonly number: number;
  readonly id: string;
  readonly title: string;
  readonly note?: ReactNode;
  readonly children: ReactNode;
}) {
  const { number, id, title, note, children } = props;
  return (
    <Section
      id={id}
      title={
        <>
          <span className="mb-1 block font-sans text-sm text-ink-3">{number}</span>
          {title}
        </>
      }
      {...(note === undefined ? {} : { note })}
    >
      {children}
    </Section>
  );
}

/** A part that is not open yet: its name, and what opens it. */
export function ClosedPart(props: {
  readonly number: number;
  readonly id: string;
  readonly title: string;
  readonly until: string;
}) {
  return (
    <Part number={props.number} id={props.id} title={props.title}>
      <p className="note">{props.until}</p>
    </Part>
  );
}
