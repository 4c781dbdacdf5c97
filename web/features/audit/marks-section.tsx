import { VERDICTS } from "#shared/audit/statement.ts";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { VERDICT_WORDS } from "../../words/audit.ts";

/** What the four marks mean. */
export function MarksSection() {
  return (
    <Section id="marks" title="The marks" note="Four, always with a word.">
      <ul className="grid gap-x-9 gap-y-6 sm:grid-cols-2 xl:grid-cols-4">
        {VERDICTS.map((verdict) => {
          const { mark, name, means } = VERDICT_WORDS[verdict];
          return (
            <li key={verdict}>
              <p className="font-semibold">
                <StatusMark kind={mark}>{name}</StatusMark>
              </p>
              <p className="mt-1.5 text-sm text-ink-2">{means}</p>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
