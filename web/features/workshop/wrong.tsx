import type { DraftProblem } from "#shared/sample/draft-problem.ts";

/** What is wrong and what would work, under what it is about. */
export function Wrong({ id, children }: { readonly id: string; readonly children: string }) {
  return (
    <p id={id} className="wrong">
      <svg viewBox="0 0 13 13" aria-hidden="true">
        <rect x="2" y="2" width="9" height="9" className="fill-none stroke-stop" strokeWidth="1.6" />
      </svg>
      <span>{children}</span>
    </p>
  );
}

/** Problems by the field that they are about; what is missing counts once someone tried to publish. */
export class Problems {
  readonly #byField: ReadonlyMap<string, DraftProblem>;

  constructor(problems: readonly DraftProblem[], hasTried: boolean) {
    const shown = problems.filter(({ isMissing }) => hasTried || !isMissing);
    this.#byField = new Map(shown.map((problem) => [problem.field, problem]));
  }

  /** Null if the field is right, or not filled in yet. */
  of(field: string): string | null {
    return this.#byField.get(field)?.sentence ?? null;
  }
}

/** The id of the input of a field, for links to it. */
export function fieldId(field: string): string {
  return `field-${field.replaceAll(".", "-")}`;
}

/** Attributes of an input that may be wrong. */
export function wrongIf(field: string, sentence: string | null) {
  return sentence === null
    ? { id: fieldId(field) }
    : { id: fieldId(field), "aria-invalid": true as const, "aria-describedby": `${fieldId(field)}-wrong` };
}

/** The sentence of a field, if it is wrong. */
export function WrongField({
  field,
  sentence,
}: {
  readonly field: string;
  readonly sentence: string | null;
}) {
  return sentence === null ? null : <Wrong id={`${fieldId(field)}-wrong`}>{sentence}</Wrong>;
}
