"use client";
import Link from "next/link";
import { useState } from "react";
import { useSession } from "../../data/access-queries.ts";
import { keptStorage } from "../../data/storage.ts";
import { Button } from "../../ui/button.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { newPlaceElsewhere } from "../../words/doors.ts";

/** The sign-in that this browser's person has said was theirs. */
const KNOWN = "chorus-known-sign-in";

/** Tells someone that they have signed in elsewhere from a new browser, until they say that it was them. */
export function NewPlaceNote() {
  const { data: session } = useSession();
  const [, setKnown] = useState<string | null>(null);
  const at = session?.newPlaceElsewhereAt ?? null;
  if (session === undefined || at === null || keptStorage()?.getItem(KNOWN) === at) return null;
  const know = () => {
    keptStorage()?.setItem(KNOWN, at);
    setKnown(at);
  };
  return (
    <div className="wrap flex flex-wrap items-center gap-3 pt-4 text-sm" role="status">
      <StatusMark kind="alarm">{newPlaceElsewhere(session.name, at, session.now)}</StatusMark>
      <Link href="/account" className="link">
        End other sessions, change your password
      </Link>
      <Button onClick={know}>It was me</Button>
    </div>
  );
}
