"use client";
import "./globals.css";
import { Button } from "../ui/button.tsx";

/** An error in the frame around all pages. */
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
        <title>This page failed. Chorus</title>
        <main id="main" className="wrap grid gap-4 pt-8 pb-16">
          <h1>This page failed</h1>
          <p className="lead">
            The page hit an error and stopped. Runs go on; the error sent and lost nothing.
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
