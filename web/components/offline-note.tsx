import { formatTimeUtc } from "../lib/format.ts";
import type { Link } from "../lib/live.tsx";
import { offlineSentence } from "../lib/sentences.ts";
import { StatusMark } from "./status-mark.tsx";

/** Without a connection the old figures stay, dated. */
export function OfflineNote({ link }: { readonly link: Link }) {
  if (link.state !== "lost") return null;
  return (
    <p className="text-sm text-ink-2" role="status">
      <StatusMark kind="alarm">{offlineSentence(`${formatTimeUtc(link.sinceIso)} UTC`)}</StatusMark>
    </p>
  );
}
