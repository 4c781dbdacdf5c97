"use client";
import Link from "next/link";
import { useLogState } from "../../data/queries.ts";
import { StatusMark } from "../../ui/status-mark.tsx";
import { logStateWords } from "../../words/log-state.ts";

/** How the log is doing, with a link to where it is checked. @param isFor  Whether this reader may know. */
export function LogState({ isFor }: { readonly isFor: boolean }) {
  const { data } = useLogState(isFor);
  const words = data === undefined ? null : logStateWords(data);
  if (words === null) return null;
  const text = (
    <>
      <span className="xl:hidden">{words.short}</span>
      <span className="max-xl:hidden">{words.full}</span>
    </>
  );
  return (
    <Link href="/audit" className="whitespace-nowrap">
      {words.trouble === null ? text : <StatusMark kind="alarm">{text}</StatusMark>}
    </Link>
  );
}

/** Why the log does not sign, on every page until it does. */
export function LogTrouble({ isFor }: { readonly isFor: boolean }) {
  const { data } = useLogState(isFor);
  const trouble = data === undefined ? null : (logStateWords(data)?.trouble ?? null);
  if (trouble === null) return null;
  return (
    <div role="status" className="wrap">
      <p className="my-3 border-stop border-l-2 pl-4 text-sm">
        {trouble} <Link href="/audit">The log</Link>
      </p>
    </div>
  );
}
