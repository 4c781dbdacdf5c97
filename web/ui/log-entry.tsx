import type { ReactNode } from "react";

interface LogEntryProps {
  /** One sentence for each entry; none while nothing would be written. */
  readonly sentences: readonly string[];
  readonly children?: ReactNode;
  readonly level?: 2 | 3;
  /** The act is done. */
  readonly isKept?: boolean;
}

/** What the log will keep of an act, shown before one acts, or what it keeps of one. */
export function LogEntry({ sentences, children, level = 3, isKept = false }: LogEntryProps) {
  const Heading = level === 2 ? "h2" : "h3";
  const keeps = isKept ? "keeps" : "will keep";
  return (
    <div>
      <Heading className="mb-0.5 font-sans text-sm leading-5 font-semibold">
        {sentences.length > 1 ? `The entries the log ${keeps}` : `The entry the log ${keeps}`}
      </Heading>
      {sentences.length === 0 && <p className="note">None; nothing changes.</p>}
      {sentences.map((sentence) => (
        <p key={sentence} className="max-w-xl font-serif text-read leading-normal text-pretty wrap-anywhere">
          “{sentence}”
        </p>
      ))}
      {children !== undefined && <div className="note mt-1.5 grid max-w-xl gap-1.5">{children}</div>}
    </div>
  );
}

/** The same in one line, beside a button whose act takes no question. */
export function LogNote({
  sentence,
  className = "",
}: {
  readonly sentence: string;
  readonly className?: string;
}) {
  return <p className={`note wrap-anywhere ${className}`}>The log will keep: “{sentence}”</p>;
}
