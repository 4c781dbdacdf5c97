import type { ReactNode } from "react";

interface FieldProps {
  readonly label: ReactNode;
  /** The id of the single control inside. */
  readonly htmlFor: string;
  readonly children: ReactNode;
  readonly note?: ReactNode;
  /**
   * What is wrong with the value and what to do. The control gets aria-invalid and aria-describedby `${htmlFor}-error`.
   */
  readonly error?: string | null;
  readonly className?: string;
}

/** A labelled form control, with its note or its error below. */
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
