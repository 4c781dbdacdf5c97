import type { InputHTMLAttributes, ReactNode } from "react";
import { Field } from "./field.tsx";

interface TextInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value"> {
  readonly id: string;
  readonly label: ReactNode;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly note?: ReactNode;
  readonly error?: string | null | undefined;
  /** Marks the value as wrong, with the reason in the element of this id. */
  readonly wrongBecauseOf?: string | null | undefined;
}

/** A labelled line of text, with its note or what is wrong with it below. */
export function TextInput(props: TextInputProps) {
  const { id, label, value, onValue, note, error = null, wrongBecauseOf, className = "", ...input } = props;
  const reason = error === null ? (wrongBecauseOf ?? undefined) : `${id}-error`;
  return (
    <Field
      label={label}
      htmlFor={id}
      error={error}
      className={className}
      {...(note !== undefined && { note })}
    >
      <input
        id={id}
        value={value}
        onChange={(event) => onValue(event.target.value)}
        aria-invalid={reason !== undefined || undefined}
        aria-describedby={reason}
        {...input}
      />
    </Field>
  );
}

/** For names that are typed exactly: nothing corrects or capitalises them. */
export const AS_TYPED = { autoCapitalize: "none", autoCorrect: "off", spellCheck: false } as const;
