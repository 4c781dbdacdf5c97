"use client";
import { useQuery } from "@tanstack/react-query";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { lookHere, Meter } from "../../data/log.ts";
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
      const meter = new Meter();
      const seen = await lookHere(await selectPrimitives(globalThis.crypto?.subtle), meter);
      return { look: seen, tookMs: performance.now() - meter.beganMs, byteCount: meter.byteCount };
    },
    retry: false,
  });
  return (
    <QueryGate query={look} what="the log" pageOf="log">
      {({ look: seen, tookMs, byteCount }) => {
        const { size, witnesses, witnessCount, contradiction } = seen.sight;
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
                    log <code>{seen.shown.origin}</code>
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
