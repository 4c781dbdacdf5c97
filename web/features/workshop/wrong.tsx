import type { DraftProblem } from "#shared/sample/draft-problem.ts";
import { mended } from "#shared/sample/mend.ts";
import { Button } from "../../ui/button.tsx";
import type { Workshop } from "./use-workshop.ts";

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

  readonly #change: Workshop["change"];

  constructor(
    problems: readonly DraftProblem[],
    { hasTried, change }: Pick<Workshop, "hasTried" | "change">,
  ) {
    this.#change = change;
    const shown = problems.filter(({ isMissing }) => hasTried || !isMissing);
    this.#byField = new Map(shown.map((problem) => [problem.field, problem]));
  }

  /** Null if the field is right, or not filled in yet. */
  of(field: string): string | null {
    return this.#byField.get(field)?.sentence ?? null;
  }

  /** What would work, as acts. */
  mendsOf(field: string): readonly { readonly words: string; readonly act: () => void }[] {
    const mends = this.#byField.get(field)?.mends ?? [];
    return mends.map((mend) => ({
      words: mend.words,
      act: () => this.#change((draft) => mended(draft, mend)),
    }));
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

interface FieldProps {
  readonly field: string;
  readonly problems: Problems;
}

/** The sentence of a field, if it is wrong, and buttons that do what would work. */
export function WrongField({ field, problems }: FieldProps) {
  const sentence = problems.of(field);
  if (sentence === null) return null;
  return (
    <>
      <Wrong id={`${fieldId(field)}-wrong`}>{sentence}</Wrong>
      <Mends field={field} problems={problems} />
    </>
  );
}

/** Only the buttons. */
export function Mends({ field, problems }: FieldProps) {
  const mends = problems.mendsOf(field);
  if (mends.length === 0) return null;
  return (
    <p className="mends">
      {mends.map(({ words, act }) => (
        <Button key={words} onClick={act}>
          {words}
        </Button>
      ))}
    </p>
  );
}
