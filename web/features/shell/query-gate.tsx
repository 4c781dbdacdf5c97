"use client";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiFailure } from "../../data/api.ts";
import { ErrorNote, LoadingNote, NotFoundNote } from "../../ui/states.tsx";
import { cannotBeShown, failureWords } from "../../words/failure.ts";

interface QueryGateProps<Data> {
  readonly query: UseQueryResult<Data>;
  /** The end of "Fetching ...". */
  readonly what: string;
  /**
   * What the page shows, e.g. "run". If the API says that it does not exist, the page says so under its own heading.
   */
  readonly pageOf?: string;
  /**
   * True while something else that the content is made of is being fetched. All of it then comes at once, and nothing
   * moves.
   */
  readonly waits?: boolean;
  /** Holds the height that the content will have. */
  readonly hold?: string;
  readonly children: (data: Data) => ReactNode;
}

/** Shows the result of a query. Old figures stay while new ones are being fetched or cannot be. */
export function QueryGate<Data>({
  query,
  what,
  pageOf,
  waits = false,
  hold,
  children,
}: QueryGateProps<Data>) {
  if (query.data !== undefined && !waits) return children(query.data);
  if (query.error === null || query.data !== undefined) {
    return (
      <div className={hold ?? (pageOf === undefined ? undefined : "page-hold pt-8")}>
        <LoadingNote what={what} />
      </div>
    );
  }
  const note = <FailureNote error={query.error} onRetry={() => void query.refetch()} />;
  if (pageOf === undefined) return hold === undefined ? note : <div className={hold}>{note}</div>;
  if (query.error instanceof ApiFailure && query.error.code === "NOT_FOUND")
    return <NotFoundNote what={pageOf} />;
  return (
    <div className="grid gap-4 pt-8">
      <h1>{cannotBeShown(pageOf)}</h1>
      {note}
    </div>
  );
}

/** A failed request in words. Runs are not affected by it. */
export function FailureNote({ error, onRetry }: { readonly error: Error; readonly onRetry?: () => void }) {
  const { meaning, code, mayRetry } = failureWords(error instanceof ApiFailure ? error : null);
  return (
    <ErrorNote what={error.message} meaning={meaning} code={code} onRetry={mayRetry ? onRetry : undefined} />
  );
}
