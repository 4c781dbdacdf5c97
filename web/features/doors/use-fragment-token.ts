"use client";
import { useEffect, useState } from "react";
import { type TokenKind, tokenPattern } from "#shared/access/tokens.ts";

/**
 * The secret of the link that opened this page: "#token=…", which no server sees. It is taken out of the address bar at
 * once, so that it is neither bookmarked nor read over a shoulder.
 *
 * @returns Null if the address has none; undefined until that is known.
 */
export function useFragmentToken(kind: TokenKind): string | null | undefined {
  const [token, setToken] = useState<string | null>();
  useEffect(() => {
    const said = new URLSearchParams(window.location.hash.slice(1)).get("token");
    if (said === null || !tokenPattern(kind).test(said)) {
      setToken((before) => before ?? null);
      return;
    }
    setToken(said);
    window.history.replaceState(null, "", `${window.location.pathname}${window.location.search}`);
  }, [kind]);
  return token;
}
