"use client";
import type { ReactNode } from "react";
import { useOperations, useReadiness } from "../../data/access-queries.ts";
import { CopyBox } from "../../ui/copy-button.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { checkWords, limitFacts, type OperationsFact, stateFacts } from "../../words/operations.ts";
import { QueryGate } from "../shell/query-gate.tsx";

const COMMANDS = ["npm run doctor", "npm run backup -- --to FOLDER"];

/** How the coordinator's machine is, as `/readyz` says. Figures over time are in `/metrics`. */
export function Operations() {
  const readiness = useReadiness();
  const operations = useOperations();
  return (
    <Section
      id="operations"
      title="Operations"
      note={
        <>
          How the machine is. <code>npm run doctor</code> says more in a terminal.
        </>
      }
    >
      <div className="cols2">
        <div>
          <h3 className="mb-1.5">State</h3>
          <QueryGate query={readiness} what="the state of the coordinator">
            {({ checks }) => (
              <dl className="defs">
                {Object.entries(checks).map(([name, isWell]) => {
                  const { term, words } = checkWords(name, isWell);
                  return (
                    <Fact key={name} term={term}>
                      <StatusMark kind={isWell ? "done" : "alarm"}>{words}</StatusMark>
                    </Fact>
                  );
                })}
              </dl>
            )}
          </QueryGate>
          <QueryGate query={operations} what="the facts of the machine">
            {(view) => <Facts facts={stateFacts(view)} />}
          </QueryGate>
        </div>
        <div className="grid content-start gap-4">
          <h3>Limits</h3>
          <QueryGate query={operations} what="the limits">
            {(view) => <Facts facts={limitFacts(view)} />}
          </QueryGate>
          <h3>On the machine</h3>
          <p className="text-sm text-ink-2">
            The first command checks what the coordinator needs and says what to do. The second writes a
            backup while it runs.
          </p>
          {COMMANDS.map((command) => (
            <CopyBox key={command} text={command} what="the command" />
          ))}
          <p className="note">
            Figures over time, such as rounds, uploads and memory, are at <code>/metrics</code> for
            Prometheus. It takes an API token that may read figures of the system.
          </p>
        </div>
      </div>
    </Section>
  );
}

function Facts({ facts }: { readonly facts: readonly OperationsFact[] }) {
  return (
    <dl className="defs">
      {facts.map(({ term, words, isAlarm = false }) => (
        <Fact key={term} term={term}>
          {isAlarm ? <StatusMark kind="alarm">{words}</StatusMark> : words}
        </Fact>
      ))}
    </dl>
  );
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
