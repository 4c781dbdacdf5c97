"use client";
import { Component, type ReactNode } from "react";
import { Button } from "../../ui/button.tsx";
import { pageFailureWords } from "../../words/opening.ts";
import { BareTopBar } from "../shell/brand.tsx";

interface Props {
  readonly children: ReactNode;
}

/** Stands in for the participant's page after an error in it. Its worker ends with it. */
export class FailureBoundary extends Component<Props, { readonly error: Error | null }> {
  override readonly state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(fault: unknown) {
    return { error: fault instanceof Error ? fault : new Error(String(fault)) };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <>
        <BareTopBar />
        <main id="main" className="wrap grid gap-4 pt-8 pb-16">
          <h1>{pageFailureWords.title}</h1>
          <p className="read" role="alert">
            {pageFailureWords.sentence}
          </p>
          <p>
            <Button kind="main" onClick={() => location.reload()}>
              {pageFailureWords.reload}
            </Button>
          </p>
          <p className="mono text-ink-3">{error.message}</p>
        </main>
      </>
    );
  }
}
