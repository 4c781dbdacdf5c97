"use client";
import { BareTopBar } from "../features/shell/top-bar.tsx";
import { Button } from "../ui/button.tsx";

/** A fault of the page itself; training and runs do not depend on it. */
export default function PageError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  return (
    <>
      <BareTopBar />
      <main id="main" className="wrap grid gap-4 pt-8 pb-16">
        <h1>This page broke</h1>
        <p className="lead">
          The page made a mistake and stopped. Runs go on; nothing was sent or lost by it.
        </p>
        <p className="flex flex-wrap items-center gap-4">
          <Button kind="main" onClick={reset}>
            Try again
          </Button>
          <a href="/">Go to Runs</a>
        </p>
        <p className="mono text-ink-3">{error.digest ?? error.message}</p>
      </main>
    </>
  );
}
