import type { ReactNode } from "react";
import { Section } from "../../ui/section.tsx";

/** A numbered part of the participant's page. Finished parts stay, so the page is its own record. */
export function Part(props: {
  readonly number: number;
  readonly id: string;
  readonly title: string;
  readonly note?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  const { number, id, title, note, className = "", children } = props;
  return (
    <Section
      id={id}
      className={className}
      title={
        <>
          <span className="mb-1 block font-sans text-sm text-ink-3">{number}</span>
          {title}
        </>
      }
      note={note}
    >
      {children}
    </Section>
  );
}

/** A part that is still closed: its name, and what opens it. */
export function ClosedPart(props: {
  readonly number: number;
  readonly id: string;
  readonly title: string;
  readonly until: string;
}) {
  return (
    <Part number={props.number} id={props.id} title={props.title} className="gap-y-1 py-4">
      <p className="note">{props.until}</p>
    </Part>
  );
}
