"use client";
import { type ReactNode, useEffect, useState } from "react";
import { Button } from "./button.tsx";

/** Says that there is nothing yet, and what to do about it. */
export function EmptyNote({ children }: { readonly children: ReactNode }) {
  return <p className="read text-ink-2">{children}</p>;
}

/**
 * Says what is being fetched, but only after a second, because most answers are faster. Reserves its line from the
 * start.
 */
export function LoadingNote({ what }: { readonly what: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1_000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p className="note min-h-6" role="status">
      {late ? `Fetching ${what}` : ""}
    </p>
  );
}

interface ErrorNoteProps {
  /** What happened, as a sentence. */
  readonly what: string;
  /** What it means for the person's data. */
  readonly meaning?: string | undefined;
  readonly code?: string | undefined;
  readonly onRetry?: (() => void) | undefined;
}

/** What happened, what it means for data, what to do, and the code for people who look it up. Shown in place. */
export function ErrorNote({ what, meaning, code, onRetry }: ErrorNoteProps) {
  return (
    <div role="alert" className="grid max-w-[62ch] gap-2 border-l-2 border-stop pl-4">
      <p>
        {what} {meaning}
      </p>
      {code !== undefined && <p className="mono text-ink-3">{code}</p>}
      {onRetry !== undefined && (
        <p>
          <Button onClick={onRetry}>Try again</Button>
        </p>
      )}
    </div>
  );
}

/** Shown in place of a page that does not exist. */
export function NotFoundNote({ what }: { readonly what: string }) {
  return (
    <div className="grid gap-4 pt-8 pb-16">
      <h1>Nothing here</h1>
      <p className="lead">There is no {what} at this address. Nothing was changed.</p>
      <p>
        Check the link, or go to <a href="/">Runs</a>.
      </p>
    </div>
  );
}
