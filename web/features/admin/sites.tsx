"use client";
import { useState } from "react";
import type { OwnSession, SiteView } from "#shared/protocol/access-api.ts";
import { useSites } from "../../data/access-queries.ts";
import { eraseSite, nameSite, renewSiteToken, revokeSite } from "../../data/admin.ts";
import { useStatus } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import {
  ERASE_SITE_WORDS,
  edgeCommand,
  lastSeenWords,
  SITES_NOTE,
  siteErasedEntry,
  siteNamedEntry,
  siteRevokedEntry,
  siteState,
} from "../../words/access.ts";
import { ActStates, useAct } from "../doors/use-act.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { Deed, DeedLink, type Deeds, Said, useDeeds } from "./deeds.tsx";
import { Erase } from "./erase.tsx";
import { ProjectSelect } from "./project-select.tsx";
import { Secret } from "./secret.tsx";
import { TaskSelect } from "./task-select.tsx";

const SECTION = "sites";

interface SitesProps {
  readonly me: OwnSession;
  readonly projects: readonly string[];
}

type SiteMade = Awaited<ReturnType<typeof nameSite>>;

/** Edges with a name. Never a figure of one. */
export function Sites({ me, projects }: SitesProps) {
  const sites = useSites();
  const deeds = useDeeds(SECTION);
  const [made, setMade] = useState<SiteMade | null>(null);
  const { data: status } = useStatus();
  const renew = useAct(renewSiteToken, setMade);
  const mayManage = me.permissions.includes("sites.manage");
  const show = (site: SiteMade) => {
    deeds.close();
    setMade(site);
  };
  return (
    <Section id={SECTION} title="Sites" note={SITES_NOTE}>
      <div className="grid gap-4">
        <QueryGate query={sites} what="the sites">
          {(rows) => <SiteTable {...{ rows, deeds, mayManage }} me={me.name} onRenew={renew.run} />}
        </QueryGate>
        <ActStates {...renew.states} />
        <Said deeds={deeds} />
        {made !== null && (
          <Secret
            parts={[
              {
                what: "the command",
                text: edgeCommand(made.token, status?.joinBaseUrl ?? "", made.site.task),
              },
            ]}
            onDone={() => setMade(null)}
          >
            {made.site.name} runs this, where its data is.
          </Secret>
        )}
        {mayManage && <NameSite {...{ deeds, projects }} me={me.name} onMade={show} />}
      </div>
    </Section>
  );
}

function SiteTable(props: {
  readonly rows: readonly SiteView[];
  readonly deeds: Deeds;
  readonly mayManage: boolean;
  readonly me: string;
  readonly onRenew: (siteId: string) => void;
}) {
  const { rows, deeds, mayManage, me, onRenew } = props;
  const act = useAct(revokeSite, () => deeds.close("Revoked. Its connection ends within 5 s."));
  if (rows.length === 0) return <p className="note">No site has a name yet.</p>;
  const change = ({ siteId, name, state }: SiteView) => (
    <span className="flex flex-wrap gap-x-4">
      {state === "not-enrolled" && (
        <button type="button" className="link underline" onClick={() => onRenew(siteId)}>
          Make a new command<span className="sr-only"> for {name}</span>
        </button>
      )}
      {state !== "revoked" && (
        <DeedLink deeds={deeds} row={siteId} what="revoke" about={name}>
          Revoke…
        </DeedLink>
      )}
      {state === "revoked" && (
        <DeedLink deeds={deeds} row={siteId} what="erase" about={name}>
          Erase…
        </DeedLink>
      )}
    </span>
  );
  return (
    <DataTable
      caption="Sites"
      records
      rows={rows}
      rowKey={({ siteId }) => siteId}
      columns={[
        { label: "Site", cell: ({ name }) => <b className="wrap-anywhere">{name}</b> },
        {
          label: "Takes part",
          cell: (site) => {
            const { mark, words } = siteState(site);
            return <StatusMark kind={mark}>{words}</StatusMark>;
          },
        },
        { label: "Last seen", cell: ({ lastSeenAt }) => lastSeenWords(lastSeenAt, Date.now()) },
        { label: "Version", cell: ({ version }) => version },
        { label: "Key", cell: ({ key }) => key !== null && <code>{key}</code> },
        ...(mayManage ? [{ label: "Change", hiddenLabel: true, cell: change }] : []),
      ]}
      under={({ siteId, name, projectId }) =>
        deeds.isOpen(siteId, "erase") ? (
          <Erase
            entry={siteErasedEntry(projectId, me)}
            words={ERASE_SITE_WORDS}
            erase={() => eraseSite(siteId)}
            onClose={(said) => deeds.close(said)}
          />
        ) : deeds.isOpen(siteId, "revoke") ? (
          <Deed
            entries={[siteRevokedEntry(name, me)]}
            act={act}
            doLabel="Revoke"
            stops
            onDo={() => act.run(siteId)}
            onKeep={() => deeds.close()}
          >
            <p>
              Revoking ends its connection within 5 s. A round it is in goes on without it, if enough are
              left. Its key is never let in again.
            </p>
          </Deed>
        ) : null
      }
    />
  );
}

function NameSite(props: {
  readonly deeds: Deeds;
  readonly projects: readonly string[];
  readonly me: string;
  readonly onMade: (made: SiteMade) => void;
}) {
  const { deeds, projects, me, onMade } = props;
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const [task, setTask] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const act = useAct(nameSite, (made) => {
    setName("");
    onMade(made);
  });
  const projectId = chosen ?? projects[0] ?? "";
  const start = () => {
    const isMissing = name.trim() === "";
    setWrong(isMissing ? "A site needs a name, such as “Clinic North”." : null);
    if (isMissing) document.getElementById("site-name")?.focus();
    else act.run({ name, projectId, task });
  };
  if (!deeds.isOpen("new", "name"))
    return (
      <p>
        <Button id={deeds.linkId("new", "name")} onClick={() => deeds.toggle("new", "name")}>
          Name a site…
        </Button>
      </p>
    );
  return (
    <Deed
      entries={[siteNamedEntry(name.trim() || "…", me, projectId)]}
      note={<p>The name is public in the log. The token enrols one key, once.</p>}
      act={act}
      doLabel="Name it"
      onDo={start}
      keepLabel="Not now"
      onKeep={() => deeds.close()}
    >
      <TextInput id="site-name" label="Name" value={name} onValue={setName} error={wrong} maxLength={60} />
      <ProjectSelect id="site-project" projects={projects} value={projectId} onValue={setChosen} />
      <TaskSelect id="site-task" value={task} onValue={setTask} />
    </Deed>
  );
}
