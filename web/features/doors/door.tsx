"use client";
import { type ReactNode, useSyncExternalStore } from "react";
import { ErrorLine } from "../../ui/error-line.tsx";
import { Brand } from "../shell/brand.tsx";
import { useDoors } from "../shell/use-doors.ts";

const never = () => () => {};

/** The address of this page, for people to compare with the one they meant to open. */
function Address() {
  const address = useSyncExternalStore(
    never,
    () => `${window.location.host}${window.location.pathname}`,
    () => "",
  );
  return <code className="text-right text-ink-3 wrap-anywhere">{address}</code>;
}

interface DoorProps {
  readonly title: string;
  /** Empty while it is not known. */
  readonly lead: string;
  /** Under the lead. */
  readonly words?: ReactNode;
  /** What happened, above the form. */
  readonly problem?: string | null;
  readonly children: ReactNode;
}

/** A page outside the site: words at the left, the form at the right. */
export function Door({ title, lead, words, problem, children }: DoorProps) {
  useDoors();
  return (
    <>
      <header className="wrap flex items-center justify-between gap-4 pt-4 pb-7 lg:pb-11">
        <span className="brand">
          <Brand />
        </span>
        <Address />
      </header>
      <main id="main" className="wrap" tabIndex={-1}>
        <div className="door">
          <div className="grid gap-4">
            <h1>{title}</h1>
            {lead !== "" && <p className="lead">{lead}</p>}
            {words}
          </div>
          <div className="grid gap-4">
            {problem && <ErrorLine>{problem}</ErrorLine>}
            {children}
          </div>
        </div>
      </main>
    </>
  );
}
