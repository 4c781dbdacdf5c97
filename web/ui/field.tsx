import type { ReactNode } from "react";

interface FieldProps {
  readonly label: ReactNode;
  /** The id of the one control inside. */
  readonly htmlFor: string;
  readonly children: ReactNode;
  readonly note?: ReactNode;
  /** What is wrong with the value and what to do; the control gets aria-invalid and aria-describedby `${htmlFor}-error`. */
  readonly error?: string | null;
  readonly className?: string;
}

/** A labelled control of a form, with its note or its error under it. */
export function Field({ label, htmlFor, children, note, error, className = "" }: FieldProps) {
  return (
    <div className={`field ${className}`}>
      <label htmlFor={htmlFor}>{label}</label>
      {children}
      {note !== undefined && <p className="note">{note}</p>}
      {error && (
        <p id={`${htmlFor}-error`} className="text-sm text-stop">
          {error}
        </p>
      )}
    </div>
  );
}
