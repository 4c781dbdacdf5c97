import type { Statement } from "#shared/audit/statement.ts";
import { StatusMark } from "../../ui/status-mark.tsx";
import { VERDICT_WORDS } from "../../words/audit.ts";
import { formatCount } from "../../words/format.ts";

interface StatementListProps {
  readonly statements: readonly Statement[];
  /** Index of the entry whose path is shown beside. */
  readonly shown: number | null;
  readonly onShow: (index: number) => void;
}

/** The statements in order, each with its mark, what was checked, and its entries. */
export function StatementList({ statements, shown, onShow }: StatementListProps) {
  return (
    <section aria-labelledby="statements" className="min-w-0">
      <h2 id="statements" className="sr-only">
        What happened
      </h2>
      <ol className="audit-says">
        {statements.map((statement) => (
          <StatementRow key={statement.id} statement={statement} shown={shown} onShow={onShow} />
        ))}
      </ol>
    </section>
  );
}

interface StatementRowProps extends Omit<StatementListProps, "statements"> {
  readonly statement: Statement;
}

function StatementRow({ statement, shown, onShow }: StatementRowProps) {
  const { says, verdict, because, entries } = statement;
  const { mark, said } = VERDICT_WORDS[verdict];
  const isShown = shown !== null && entries[0] === shown;
  return (
    <li className={isShown ? "on" : undefined}>
      <StatusMark kind={mark}>
        <span className="sr-only">{said}</span>
      </StatusMark>
      <div className="min-w-0">
        <p className="read">{says}</p>
        <p className="note flex flex-wrap items-baseline gap-x-2">
          <span className="wrap-anywhere">
            <b className="font-medium text-ink-2">{said}</b> {because}
          </span>
          {entries.map((index) => (
            <button
              key={index}
              type="button"
              className="link underline"
              aria-pressed={shown === index}
              onClick={() => onShow(index)}
            >
              {shown === index ? "Shown beside" : "Show"}
              <span className="sr-only"> entry {formatCount(index)}</span>
            </button>
          ))}
        </p>
      </div>
    </li>
  );
}
