import type { ReactNode } from "react";

interface SectionProps {
  /** Also the anchor of the section. */
  readonly id: string;
  readonly title: ReactNode;
  /** What the section is for, in plain words, in the margin. */
  readonly note?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A section of a page: a hairline, a margin with title and note, the content. */
export function Section({ id, title, note, children, className = "" }: SectionProps) {
  return (
    <section className={`sec ${className}`} aria-labelledby={id}>
      <header>
        {/* Takes the focus if the control that opened the section is gone. */}
        <h2 id={id} tabIndex={-1}>
          {title}
        </h2>
        {note !== undefined && <p className="note">{note}</p>}
      </header>
      <div className="min-w-0">{children}</div>
    </section>
  );
}
