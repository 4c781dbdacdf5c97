"use client";
import "./globals.css";
import { Button } from "../ui/button.tsx";

/** A fault in the frame around all pages. */
export default function GlobalError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  return (
    <html lang="en">
      <body>
        <title>This page broke. Chorus</title>
        <main id="main" className="wrap grid gap-4 pt-8 pb-16">
          <h1>This page broke</h1>
          <p className="lead">
            The page made a mistake and stopped. Runs go on; nothing was sent or lost by it.
          </p>
          <p>
            <Button kind="main" onClick={reset}>
              Try again
            </Button>
          </p>
          <p className="mono text-ink-3">{error.digest ?? error.message}</p>
        </main>
      </body>
    </html>
  );
}
