"use client";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiFailure } from "../../data/api.ts";
import { ErrorNote, LoadingNote, NotFoundNote } from "../../ui/states.tsx";

interface QueryGateProps<Data> {
  readonly query: UseQueryResult<Data>;
  /** Completes "Fetching ...". */
  readonly what: string;
  /** What the page shows, e.g. "run". If the API answers that it does not exist, the page says so under its own heading. */
  readonly pageOf?: string;
  readonly children: (data: Data) => ReactNode;
}

/** Shows what was asked for. Old figures stay while new ones are fetched or cannot be. */
export function QueryGate<Data>({ query, what, pageOf, children }: QueryGateProps<Data>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error === null) return <LoadingNote what={what} />;
  const note = <FailureNote error={query.error} onRetry={() => void query.refetch()} />;
  if (pageOf === undefined) return note;
  if (query.error instanceof ApiFailure && query.error.code === "NOT_FOUND")
    return <NotFoundNote what={pageOf} />;
  return (
    <div className="grid gap-4 pt-8">
      <h1>This {pageOf} cannot be shown</h1>
      {note}
    </div>
  );
}

/** A failed request in words; runs go on whatever a page could not fetch. */
export function FailureNote({ error, onRetry }: { readonly error: Error; readonly onRetry?: () => void }) {
  const failure = error instanceof ApiFailure ? error : null;
  return (
    <ErrorNote
      what={error.message}
      meaning={
        failure?.code === "NO_ANSWER"
          ? "Runs and devices are not touched by that; this page cannot show them."
          : undefined
      }
      code={failure?.code}
      onRetry={failure?.retry === "never" ? undefined : onRetry}
    />
  );
}
