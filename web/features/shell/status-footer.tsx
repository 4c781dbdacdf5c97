"use client";
import Link from "next/link";
import { useStatus } from "../../data/queries.ts";
import { Footer } from "../../ui/footer.tsx";
import { formatHash } from "../../words/format.ts";

/** What runs here: the database and its durability, the version and its code. */
export function StatusFooter() {
  const { data: status } = useStatus();
  if (status === undefined) return <Footer>Chorus</Footer>;
  return (
    <Footer>
      <span>{status.database === "embedded" ? "SQLite database" : "PostgreSQL database"}</span>
      <span>
        Chorus {status.version}
        {/* Without a checkout the code has no fingerprint of its own. */}
        {status.codeVersion !== status.version && (
          <>
            , code <code>{formatHash(status.codeVersion, 8)}</code>
          </>
        )}
      </span>
      <Link href="/api">API</Link>
    </Footer>
  );
}
