import { WordList } from "../../ui/word-list.tsx";
import { CONSENT_TITLES, type ConsentWords } from "../../words/join.ts";

/** What stays, what leaves, and what one should know. */
export function ConsentLists({ words }: { readonly words: ConsentWords }) {
  return (
    <div className="cols3">
      <WordList title={CONSENT_TITLES.staysHere} lines={words.staysHere} you />
      <WordList title={CONSENT_TITLES.leaves} lines={words.leaves} />
      <WordList title={CONSENT_TITLES.warnings} lines={words.warnings} />
    </div>
  );
}
