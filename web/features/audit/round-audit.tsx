"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useEffect, useState } from "react";
import { useSession } from "../../data/access-queries.ts";
import type { OwnAudit, ReadProgress } from "../../data/log-messages.ts";
import { lastSeen, logThread, remember } from "../../data/log-thread.ts";
import { Button } from "../../ui/button.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import {
  auditLead,
  costWords,
  entriesOfStatements,
  partlyReadWords,
  readingWords,
} from "../../words/audit.ts";
import { formatTimeUtc } from "../../words/format.ts";
import { runName } from "../../words/sentences.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { BundleButton } from "./bundle-button.tsx";
import { ContradictionNote } from "./contradiction-note.tsx";
import { EntryPathFigure } from "./entry-path-figure.tsx";
import { LogSection } from "./log-section.tsx";
import { MarksSection } from "./marks-section.tsx";
import { OfflineCheck } from "./offline-check.tsx";
import { RoundReplay } from "./round-replay.tsx";
import { StatementList } from "./statement-list.tsx";

/** `/audit/rounds/[id]`: what can be said of a round, each sentence checked in this browser. */
export function RoundAuditPage({ roundId }: { readonly roundId: string }) {
  const session = useSession();
  const shows = session.data?.permissions.includes("transcripts.read") ?? false;
  const audit = useQuery({
    queryKey: ["audit", roundId, shows],
    queryFn: async () => {
      const made = await logThread.ask("audit", { roundId, showsTranscripts: shows, seen: lastSeen() });
      remember(made.look);
      return made;
    },
    enabled: !session.isPending,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return (
    <>
      {audit.isFetching && <Reading />}
      <QueryGate query={audit} what="the round and the log" pageOf="round">
        {(data) => (
          <Audited
            audit={data}
            showsTranscripts={shows}
            isChecking={audit.isFetching}
            onAgain={() => void audit.refetch()}
          />
        )}
      </QueryGate>
    </>
  );
}

/** How far the reading of a long log is; nothing in the first second. */
function Reading() {
  const [progress, setProgress] = useState<ReadProgress | null>(null);
  const [isLate, setLate] = useState(false);
  useEffect(() => logThread.onProgress(setProgress), []);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1_000);
    return () => clearTimeout(timer);
  }, []);
  if (!isLate || progress === null) return null;
  return (
    <p className="note flex flex-wrap items-baseline gap-x-3 pt-4">
      <span role="status">{readingWords(progress)}</span>
      {progress.done < progress.total && (
        <button type="button" className="link underline" onClick={() => logThread.enough()}>
          Stop reading
        </button>
      )}
    </p>
  );
}

interface AuditedProps {
  readonly audit: OwnAudit;
  readonly showsTranscripts: boolean;
  readonly isChecking: boolean;
  readonly onAgain: () => void;
}

function Audited({ audit, showsTranscripts, isChecking, onAgain }: AuditedProps) {
  const { record, statements, look, contradiction } = audit;
  const partly = partlyReadWords(audit.read, look.size);
  const name = runName({ task: record.task, number: record.runNumber });
  const lead = auditLead(statements);
  const entries = entriesOfStatements(statements);
  const firstShown = statements.find(({ id, entries: own }) => id === "inputs" && own.length > 0);
  const [chosen, setChosen] = useState<number | null>(null);
  const shown =
    chosen ?? firstShown?.entries[0] ?? statements.find((one) => one.entries.length > 0)?.entries[0];
  useEffect(() => {
    document.title = `Audit of round ${record.round}, ${name}. Chorus`;
  }, [name, record.round]);
  return (
    <>
      <div className="head">
        <p className="crumb">
          <Link href="/audit">Audit</Link> / <Link href={`/runs/${record.runId}`}>{name}</Link>
        </p>
        <h1>Round {record.round}</h1>
        <div className="flex flex-wrap items-center gap-3">
          <Button onClick={onAgain} disabled={isChecking}>
            Check again
          </Button>
          <BundleButton audit={audit} showsTranscripts={showsTranscripts} />
        </div>
        <div className="state">
          <p className="lead">{lead}</p>
          <LiveRegion text={lead} />
          <p className="line-facts">
            <StatusMark kind={contradiction === null ? "done" : "refused"}>
              {costWords(look.tookMs, look.byteCount)}
            </StatusMark>
            <span>
              {formatTimeUtc(record.openedAt)}
              {record.endedAt !== null && ` to ${formatTimeUtc(record.endedAt)}`} UTC
            </span>
            {entries !== null && <span>{entries}</span>}
            {partly !== null && <span>{partly}</span>}
            <Link href={`/rounds/${record.roundId}`}>The round itself</Link>
          </p>
        </div>
      </div>
      <ContradictionNote look={look} contradiction={contradiction} />
      <RoundReplay audit={audit} />
      <div className="audit-tell">
        <StatementList statements={statements} shown={shown ?? null} onShow={setChosen} />
        <EntryPathFigure audit={audit} index={shown ?? null} />
      </div>
      <MarksSection />
      <LogSection about={{ round: record.roundId }} />
      <OfflineCheck audit={audit} />
    </>
  );
}
