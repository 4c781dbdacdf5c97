import type { Link } from "../../data/live.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { offlineSentence } from "../../words/sentences.ts";

/** Without a connection the old figures stay, with their time. */
export function OfflineNote({ link }: { readonly link: Link }) {
  if (link.state !== "lost") return null;
  return (
    <p className="text-sm text-ink-2" role="status">
      <StatusMark kind="alarm">{offlineSentence(`${formatTimeUtc(link.sinceIso)} UTC`)}</StatusMark>
    </p>
  );
}
