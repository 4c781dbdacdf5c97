"use client";
import { useQuery } from "@tanstack/react-query";
import { lastSeen, logThread, remember } from "../../data/log-thread.ts";
import { StatusMark } from "../../ui/status-mark.tsx";
import { costWords, logLead } from "../../words/audit.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { WithSession } from "../shell/with-session.tsx";
import { ContradictionNote } from "./contradiction-note.tsx";
import { LogSection } from "./log-section.tsx";
import { MarksSection } from "./marks-section.tsx";
import { WitnessList } from "./witness-list.tsx";

/** `/audit`: the log as this browser checked it, and all of its entries. */
export function AuditPage() {
  return <WithSession needs="runs.read">{() => <LogPage />}</WithSession>;
}

function LogPage() {
  const look = useQuery({
    queryKey: ["log-look"],
    queryFn: async () => {
      const seen = await logThread.ask("look", { seen: lastSeen() });
      remember(seen);
      return seen;
    },
    retry: false,
  });
  return (
    <QueryGate query={look} what="the log" pageOf="log">
      {(seen) => {
        const { size, witnesses, witnessCount, contradiction, tookMs, byteCount } = seen;
        return (
          <>
            <div className="head">
              <h1>Audit</h1>
              <div className="state">
                <p className="lead">
                  {logLead({ size, witnessCount, contradiction, witnesses: witnesses.length })}
                </p>
                <p className="line-facts">
                  <StatusMark kind={contradiction === null ? "done" : "refused"}>
                    {costWords(tookMs, byteCount)}
                  </StatusMark>
                  <span>
                    log <code>{seen.origin}</code>
                  </span>
                  <span>A round opens from its entries below.</span>
                </p>
              </div>
            </div>
            <ContradictionNote look={seen} contradiction={contradiction} />
            <WitnessList />
            <LogSection />
            <MarksSection />
          </>
        );
      }}
    </QueryGate>
  );
}
