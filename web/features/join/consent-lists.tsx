import { WordList } from "../../ui/word-list.tsx";
import type { ConsentWords } from "../../words/join.ts";

/** What stays, what leaves, and what one should know. */
export function ConsentLists({ words }: { readonly words: ConsentWords }) {
  return (
    <div className="cols3">
      <WordList title="Stays here" lines={words.staysHere} you />
      <WordList title="Leaves in each round" lines={words.leaves} />
      <WordList title="You should know" lines={words.warnings} />
    </div>
  );
}
