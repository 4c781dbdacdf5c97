"use client";
import type { ProposedAct } from "#shared/access/log.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import type { Decision, GateReport, ModelVersionView } from "#shared/protocol/registry.ts";
import type { GateResult } from "#shared/task/gates/index.ts";
import { usePeople, useSession } from "../../data/access-queries.ts";
import { useDecisions, useGates } from "../../data/models.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { Field } from "../../ui/field.tsx";
import { Section } from "../../ui/section.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { formatWhenUtc } from "../../words/format.ts";
import {
  decisionTitle,
  gateFigure,
  gateKey,
  gatesLead,
  gateTitle,
  gateVerdict,
  hasSecondAdmin,
  noGatesWords,
  ONE_ADMIN,
} from "../../words/gates.ts";
import { versionTitle } from "../../words/models.ts";
import { DeedLink, type Deeds, Said, useDeeds } from "../admin/deeds.tsx";
import { Propose } from "../admin/propose.tsx";
import { QueryGate } from "../shell/query-gate.tsx";

interface GatesProps {
  readonly view: TaskView;
  /** Newest first. */
  readonly models: readonly ModelVersionView[];
  /** The last version so far of the newest run that has made one, which may be open; null if there is none. */
  readonly candidate: ModelVersionView | null;
}

/** What a version must show before it is put in use, the shut gates first: now, and when it was decided about. */
export function GatesSection({ view, models, candidate }: GatesProps) {
  const { inUse, task } = view;
  const [text, choose] = useAddress("gates");
  const named = models.find(({ version }) => String(version) === text)?.version ?? null;
  const asked = named ?? candidate?.version ?? inUse?.version ?? null;
  const isInUse = inUse?.alias === "champion" && inUse.version === asked;
  const report = useGates(task.slug, isInUse ? null : asked);
  const decisions = useDecisions(task.slug, asked);
  return (
    <Section
      id="gates"
      title="Gates"
      note="What a version must show before it is called champion. To pass a shut gate takes two admins and a reason, and stands in the log for good."
    >
      {asked === null ? (
        <EmptyNote>No version waits to be promoted.</EmptyNote>
      ) : (
        <div className="grid gap-7">
          <Field label="Version" htmlFor="gates-version" className="max-w-72">
            <select id="gates-version" value={asked} onChange={(event) => choose(event.target.value)}>
              {models.map((model) => (
                <option key={model.version} value={model.version}>
                  {versionTitle(model)}
                </option>
              ))}
            </select>
          </Field>
          {isInUse ? (
            <p className="read">Version {asked} is in use, so no gate is asked of it now.</p>
          ) : (
            <QueryGate query={report} what={`gates of version ${asked}`}>
              {(found) => <Report slug={task.slug} report={found} />}
            </QueryGate>
          )}
          {decisions.data !== undefined && <Decisions version={asked} decisions={decisions.data} />}
        </div>
      )}
    </Section>
  );
}

/** What was decided about the version, each with what its gates said then. */
function Decisions(props: { readonly version: number; readonly decisions: readonly Decision[] }) {
  const { version, decisions } = props;
  if (decisions.length === 0)
    return <p className="note">Nothing was decided about version {version} until now.</p>;
  return (
    <div className="grid gap-6">
      {decisions.map((decision) => (
        <div key={decision.at} className="grid gap-3">
          <h3>{decisionTitle(decision)}</h3>
          <p className="max-w-2xl">{decision.sentence}</p>
          {decision.gates.length === 0 ? (
            <p className="note">{noGatesWords(decision)}</p>
          ) : (
            <GateTable
              caption={`Gates of version ${version}, as they were on ${formatWhenUtc(decision.at)}`}
              {...{ version, champion: decision.from, gates: decision.gates }}
            />
          )}
        </div>
      ))}
    </div>
  );
}

function Report({ slug, report }: { readonly slug: TaskView["task"]["slug"]; readonly report: GateReport }) {
  const { version, champion, open, gates } = report;
  const deeds = useDeeds("gates");
  const { data: session } = useSession();
  const mayPropose = !open && session?.permissions.includes("proposals.decide") === true;
  const act = { type: "promote-despite-gates", task: slug, version, expected: champion } as const;
  return (
    <div className="grid gap-4">
      <p className="read">{gatesLead(report)}</p>
      {gates.length > 0 && (
        <GateTable caption={`Gates of version ${version}`} {...{ version, champion, gates }} />
      )}
      {mayPropose && <PassDespite act={act} me={session.name} deeds={deeds} />}
      <Said deeds={deeds} />
    </div>
  );
}

interface PassDespiteProps {
  readonly act: ProposedAct;
  readonly me: string;
  readonly deeds: Deeds;
}

/** It takes two admins, so with one there is nobody to ask. */
function PassDespite({ act, me, deeds }: PassDespiteProps) {
  const { data: people } = usePeople();
  if (people === undefined) return null;
  if (!hasSecondAdmin(people)) return <p className="note">{ONE_ADMIN}</p>;
  return (
    <>
      <p>
        <DeedLink deeds={deeds} row="gates" what="pass">
          Ask a second admin to pass a gate…
        </DeedLink>
      </p>
      {deeds.isOpen("gates", "pass") && (
        <Propose act={act} me={me} personOf={() => null} onClose={(said) => deeds.close(said)} />
      )}
    </>
  );
}

interface GateTableProps extends Pick<GateReport, "version" | "champion"> {
  readonly caption: string;
  readonly gates: readonly GateResult[];
}

function GateTable({ caption, version, champion, gates }: GateTableProps) {
  return (
    <DataTable
      caption={caption}
      columns={columnsOf({ version, champion })}
      rows={gates}
      rowKey={(gate) => gateKey(gates, gate)}
      records
    />
  );
}

function columnsOf({
  version,
  champion,
}: Pick<GateReport, "version" | "champion">): readonly TableColumn<GateResult>[] {
  const before: TableColumn<GateResult> = {
    label: `${champion}, in use`,
    numeric: true,
    cell: (gate) => gateFigure(gate.champion),
  };
  return [
    { label: "Gate", cell: gateTitle },
    { label: "Must be", cell: ({ required }) => required },
    ...(champion === null ? [] : [before]),
    { label: String(version), numeric: true, cell: (gate) => gateFigure(gate.candidate) },
    {
      label: "Verdict",
      cell: (gate) => (
        <>
          <StatusMark kind={gate.state === "open" ? "done" : "refused"}>{gateVerdict(gate)}</StatusMark>
          {gate.state !== "open" && <span className="note block max-w-80">{gate.reason}</span>}
        </>
      ),
    },
  ];
}
