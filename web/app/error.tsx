"use client";
import { BareTopBar } from "../features/shell/brand.tsx";
import { Button } from "../ui/button.tsx";

/** An error in the page itself. Training and runs do not depend on it. */
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
        <h1>This page failed</h1>
        <p className="lead">
          The page hit an error and stopped. Runs go on; the error sent and lost nothing.
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
