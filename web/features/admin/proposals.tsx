"use client";
import type { Names } from "#shared/access/sentences.ts";
import type { ProposalView } from "#shared/protocol/access-api.ts";
import { useProposals } from "../../data/access-queries.ts";
import { decide } from "../../data/admin.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { LogEntry } from "../../ui/log-entry.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import {
  actNote,
  mayDecide,
  proposalEnd,
  proposalEntry,
  proposalFacts,
  proposalTitle,
} from "../../words/access.ts";
import { ActStates, useAct } from "../doors/use-act.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { type Deeds, Said, TWO_SIDES, useDeeds } from "./deeds.tsx";

const SECTION = "two";
/** Ended proposals that the page shows; the log has all. */
const ENDED_COUNT_MAX = 5;

interface ProposalsProps {
  readonly me: string;
  readonly personOf: Names["personOf"];
}

/** What takes two people. */
export function Proposals({ me, personOf }: ProposalsProps) {
  const proposals = useProposals();
  const deeds = useDeeds(SECTION);
  return (
    <Section
      id={SECTION}
      title="Two people"
      note="Some acts take a second person. A proposal ends after 24 h; nobody agrees to their own."
    >
      <QueryGate query={proposals} what="the proposals">
        {(all) => {
          const isOpen = all.filter(({ end }) => end === null);
          // What waits for the reader stands first.
          const open = isOpen.toSorted(
            (one, other) => Number(mayDecide(other, me)) - Number(mayDecide(one, me)),
          );
          const ended = all.filter(({ end }) => end !== null).slice(0, ENDED_COUNT_MAX);
          return (
            <div className="grid gap-6">
              {open.length === 0 && <p className="note">Nothing is proposed.</p>}
              {open.map((proposal) => (
                <Proposal key={proposal.proposalId} {...{ proposal, me, personOf, deeds }} />
              ))}
              <Said deeds={deeds} />
              {ended.length > 0 && <Ended proposals={ended} me={me} personOf={personOf} />}
            </div>
          );
        }}
      </QueryGate>
    </Section>
  );
}

type Verb = "agree" | "refuse" | "withdraw";
const DONE: Record<Verb, string> = {
  agree: "Agreed. It is done.",
  refuse: "Refused. Nothing else was changed.",
  withdraw: "Withdrawn. Nothing else was changed.",
};

function Proposal(props: ProposalsProps & { readonly proposal: ProposalView; readonly deeds: Deeds }) {
  const { proposal, me, personOf, deeds } = props;
  const { proposalId, act: proposed, reason, alone } = proposal;
  const act = useAct(
    async (verb: Verb) => {
      await decide(proposalId, verb);
      return verb;
    },
    (verb) => deeds.close(DONE[verb]),
  );
  const isOwn = proposal.madeBy === me;
  const asking = (["agree", "refuse"] as const).find((verb) => deeds.isOpen(proposalId, verb)) ?? null;
  const ask = (verb: "agree" | "refuse", label: string) => (
    <Button
      id={deeds.linkId(proposalId, verb)}
      kind={verb === "agree" ? "main" : undefined}
      className="max-md:flex-1"
      onClick={() => deeds.toggle(proposalId, verb)}
    >
      {label}
    </Button>
  );
  return (
    <article className="border-b border-rule pb-6 last:border-0">
      <div className={TWO_SIDES}>
        <div className="grid content-start gap-1">
          <h3 className="font-serif text-read leading-snug font-normal">
            {proposalTitle(proposed, personOf)}
          </h3>
          <p className="note">{proposalFacts(proposal, me, Date.now())}</p>
          <p className="text-sm wrap-anywhere">Reason: “{reason}”</p>
          <div className="mt-3 flex flex-wrap items-center gap-3">
            {asking === null ? (
              <>
                {mayDecide(proposal, me) && ask("agree", alone ? "Decide alone…" : "Agree…")}
                {isOwn ? (
                  <Button disabled={act.isPending} onClick={() => act.run("withdraw")}>
                    Withdraw
                  </Button>
                ) : (
                  mayDecide(proposal, me) && ask("refuse", "Refuse…")
                )}
              </>
            ) : (
              <Asked
                verb={asking}
                isPending={act.isPending}
                onDo={() => act.run(asking)}
                onKeep={() => deeds.close()}
              />
            )}
          </div>
          <ActStates {...act.states} />
        </div>
        <LogEntry
          sentences={[
            asking === "refuse" ? `${me} refused a proposal.` : proposalEntry(proposal, me, personOf),
          ]}
        >
          <p>{actNote(proposed, personOf)}</p>
        </LogEntry>
      </div>
    </article>
  );
}

/** The second press, which does it. */
function Asked(props: {
  readonly verb: "agree" | "refuse";
  readonly isPending: boolean;
  readonly onDo: () => void;
  readonly onKeep: () => void;
}) {
  const { verb, isPending, onDo, onKeep } = props;
  return (
    <>
      <p className="w-full text-sm">
        {verb === "agree"
          ? "Agree? It is done at once."
          : "Refuse? The proposal ends, and nothing else changes."}
      </p>
      <Button autoFocus kind={verb === "agree" ? "main" : "stop"} disabled={isPending} onClick={onDo}>
        {verb === "agree" ? "Agree" : "Refuse"}
      </Button>
      <Button onClick={onKeep}>Not now</Button>
    </>
  );
}

function Ended({
  proposals,
  me,
  personOf,
}: ProposalsProps & { readonly proposals: readonly ProposalView[] }) {
  return (
    <DataTable
      caption="Ended proposals"
      rows={proposals}
      rowKey={({ proposalId }) => proposalId}
      columns={[
        { label: "Ended lately", cell: ({ act }) => proposalTitle(act, personOf) },
        {
          label: "How",
          cell: (proposal) => {
            const end = proposalEnd(proposal, me, Date.now());
            return end === null ? null : <StatusMark kind={end.mark}>{end.words}</StatusMark>;
          },
        },
      ]}
    />
  );
}
