"use client";
import type { ReactNode } from "react";
import type { OwnSession } from "#shared/protocol/access-api.ts";
import { useSession } from "../../data/access-queries.ts";
import { NotFoundNote } from "../../ui/states.tsx";
import { QueryGate } from "./query-gate.tsx";

interface WithSessionProps {
  /** What one must be allowed to do; without it there is no such page. */
  readonly needs: string;
  readonly children: (me: OwnSession) => ReactNode;
}

/** A page for people who have signed in and may do something. */
export function WithSession({ needs, children }: WithSessionProps) {
  const session = useSession();
  return (
    <QueryGate query={session} what="who you are" pageOf="page">
      {(me) => (me.permissions.includes(needs) ? children(me) : <NotFoundNote what="page for you" />)}
    </QueryGate>
  );
}
