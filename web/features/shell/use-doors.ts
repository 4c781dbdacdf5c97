"use client";
import { hashKey, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { ERRORS } from "#shared/protocol/errors.ts";
import { SESSION } from "../../data/access-queries.ts";
import { ApiFailure } from "../../data/api.ts";
import { tabStorage } from "../../data/storage.ts";
import { destinationOf, signInPath } from "../../words/doors.ts";

/** Holds the coordinator's reason for signing someone out, until the sign-in page has shown it. */
const REASON = "chorus-signed-out";

/**
 * Sends the reader to the door that a refused request names: set-up, or sign-in and back. Pages of participants have no
 * doors.
 */
export function useDoors(): void {
  const client = useQueryClient();
  useEffect(() => {
    const heed = (error: unknown) => {
      if (!(error instanceof ApiFailure)) return;
      goToDoor(error);
      // What one may do has changed: the bar and the page follow.
      if (error.code === "FORBIDDEN") void client.invalidateQueries({ queryKey: SESSION });
    };
    const leaveQueries = client.getQueryCache().subscribe((event) => {
      if (event.type !== "updated" || !("error" in event.action)) return;
      const { error } = event.action;
      // Asking for the session again because it was refused would never end.
      if (event.query.queryHash !== hashKey(SESSION)) heed(error);
      else if (error instanceof ApiFailure) goToDoor(error);
    });
    const leaveMutations = client.getMutationCache().subscribe((event) => {
      if (event.type === "updated" && event.action.type === "error") heed(event.action.error);
    });
    return () => {
      leaveQueries();
      leaveMutations();
    };
  }, [client]);
}

function goToDoor({ code, message }: ApiFailure): void {
  const { pathname, search, hash } = window.location;
  if (code === "NOT_SET_UP" && pathname !== "/setup") window.location.replace("/setup");
  if (code !== "NOT_AUTHENTICATED" || pathname === "/sign-in") return;
  const [, usual] = ERRORS.NOT_AUTHENTICATED;
  if (message !== usual) tabStorage()?.setItem(REASON, message);
  window.location.replace(signInPath(`${pathname}${search}${hash}`));
}

/** Why the coordinator signed this browser out, once; null if it has not said. */
export function takeReason(): string | null {
  const storage = tabStorage();
  const reason = storage?.getItem(REASON) ?? null;
  storage?.removeItem(REASON);
  return reason;
}

/** Goes where one wanted to go before sign-in. Loads the page anew, so that nothing of another reader is left. */
export function goOn(): void {
  window.location.replace(wantedPath());
}

/** Where one wanted to go before sign-in. */
export function wantedPath(): string {
  return destinationOf(new URLSearchParams(window.location.search).get("to"));
}
