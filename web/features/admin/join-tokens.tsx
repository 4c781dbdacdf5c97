"use client";
import { useState } from "react";
import type { JoinTokenView, OwnSession } from "#shared/protocol/access-api.ts";
import { useJoinTokens, useSites } from "../../data/access-queries.ts";
import { makeJoinToken, removeJoinedDevices, revokeJoinToken } from "../../data/admin.ts";
import { useStatus } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import {
  devicesRemovedWords,
  edgeCommand,
  goodUntil,
  JOIN_TOKENS_NOTE,
  joinedDevicesRemovedEntry,
  joinTokenEntry,
  joinTokenRevokedEntry,
  madeWords,
} from "../../words/access.ts";
import { formatCount } from "../../words/format.ts";
import { wholeProblem } from "../../words/launch.ts";
import { useAct } from "../doors/use-act.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { Deed, DeedLink, type Deeds, Said, useDeeds } from "./deeds.tsx";
import { ProjectSelect } from "./project-select.tsx";
import { Secret } from "./secret.tsx";
import { TaskSelect } from "./task-select.tsx";

const SECTION = "join-tokens";

interface JoinTokensProps {
  readonly me: OwnSession;
  readonly projects: readonly string[];
}

type JoinTokenMade = Awaited<ReturnType<typeof makeJoinToken>>;

/** Tokens with which devices join tasks by invitation. */
export function JoinTokens({ me, projects }: JoinTokensProps) {
  const tokens = useJoinTokens();
  const deeds = useDeeds(SECTION);
  const [made, setMade] = useState<JoinTokenMade | null>(null);
  const { data: status } = useStatus();
  const show = (token: JoinTokenMade) => {
    deeds.close();
    setMade(token);
  };
  return (
    <Section id={SECTION} title="Join tokens" note={JOIN_TOKENS_NOTE}>
      <div className="grid gap-4">
        <QueryGate query={tokens} what="the join tokens">
          {(rows) => <JoinTokenTable {...{ rows, deeds }} me={me.name} />}
        </QueryGate>
        <Said deeds={deeds} />
        {made !== null && (
          <Secret
            parts={[
              ...(made.url === null ? [] : [{ what: "the link", text: made.url }]),
              {
                what: "the command",
                text: edgeCommand(made.token, status?.joinBaseUrl ?? "", made.joinToken.task),
              },
            ]}
            onDone={() => setMade(null)}
          >
            {made.url === null
              ? "An edge runs this, where its data is."
              : "A browser opens the link. An edge runs the command, where its data is."}
          </Secret>
        )}
        <MakeJoinToken {...{ deeds, projects }} me={me.name} onMade={show} />
      </div>
    </Section>
  );
}

function JoinTokenTable(props: {
  readonly rows: readonly JoinTokenView[];
  readonly deeds: Deeds;
  readonly me: string;
}) {
  const { rows, deeds, me } = props;
  const { data: sites = [] } = useSites();
  if (rows.length === 0) return <p className="note">There are no join tokens. Public tasks need none.</p>;
  return (
    <DataTable
      caption="Join tokens"
      records
      rows={rows}
      rowKey={({ tokenId }) => tokenId}
      columns={[
        { label: "Token", cell: ({ shown }) => <code>{shown}…</code> },
        { label: "Task", cell: ({ task, projectId }) => task ?? `every task of ${projectId}` },
        {
          label: "Used",
          numeric: true,
          cell: ({ used, uses }) => `${formatCount(used)} of ${formatCount(uses)}`,
        },
        {
          label: "Good until",
          cell: (token) => {
            const { mark, words } = goodUntil(token, Date.now());
            return mark === null ? words : <StatusMark kind={mark}>{words}</StatusMark>;
          },
        },
        {
          label: "Made by",
          cell: ({ madeBy, madeAt, siteId }) => {
            const site = sites.find((one) => one.siteId === siteId);
            return `${madeWords(madeBy, madeAt, me, Date.now())}${site ? `, for ${site.name}` : ""}`;
          },
        },
        { label: "Change", hiddenLabel: true, cell: (token) => <TokenLinks token={token} deeds={deeds} /> },
      ]}
      under={(token) =>
        ["revoke", "remove"].some((what) => deeds.isOpen(token.tokenId, what)) ? (
          <TokenQuestion token={token} deeds={deeds} me={me} />
        ) : null
      }
    />
  );
}

interface OneTokenProps {
  readonly token: JoinTokenView;
  readonly deeds: Deeds;
}

function TokenLinks({ token, deeds }: OneTokenProps) {
  const { tokenId, shown, siteId, used, isRevoked, devicesRemoved } = token;
  return (
    <span className="flex flex-wrap gap-3">
      {!isRevoked && (
        <DeedLink deeds={deeds} row={tokenId} what="revoke" about={shown}>
          Revoke…
        </DeedLink>
      )}
      {siteId === null && used > 0 && !devicesRemoved && (
        <DeedLink deeds={deeds} row={tokenId} what="remove" about={shown}>
          Remove its devices…
        </DeedLink>
      )}
    </span>
  );
}

/** What is open under a token. */
function TokenQuestion({ token, deeds, me }: OneTokenProps & { readonly me: string }) {
  const { tokenId, used } = token;
  const revoke = useAct(revokeJoinToken, () => deeds.close("Revoked. Nobody joins with it any more."));
  const remove = useAct(removeJoinedDevices, () =>
    deeds.close("Removed. Devices that joined with this token take part no more, and nobody joins with it."),
  );
  if (deeds.isOpen(tokenId, "remove"))
    return (
      <Deed
        entries={[joinedDevicesRemovedEntry(me)]}
        act={remove}
        doLabel="Remove its devices"
        stops
        onDo={() => remove.run(tokenId)}
        onKeep={() => deeds.close()}
      >
        <p>{devicesRemovedWords(used)}</p>
      </Deed>
    );
  return (
    <Deed
      entries={[joinTokenRevokedEntry(me)]}
      act={revoke}
      doLabel="Revoke"
      stops
      onDo={() => revoke.run(tokenId)}
      onKeep={() => deeds.close()}
    >
      <p>Nobody joins with it any more. Devices that have joined already stay.</p>
    </Deed>
  );
}

const USES_MAX = 100_000;
const DAYS_MAX = 90;

function MakeJoinToken(props: {
  readonly deeds: Deeds;
  readonly projects: readonly string[];
  readonly me: string;
  readonly onMade: (made: JoinTokenMade) => void;
}) {
  const { deeds, projects, me, onMade } = props;
  const [chosen, setChosen] = useState<string | null>(null);
  const [task, setTask] = useState<string | null>(null);
  const [uses, setUses] = useState("1");
  const [days, setDays] = useState("30");
  const [wrong, setWrong] = useState<{ readonly uses?: string | null; readonly days?: string | null }>({});
  const act = useAct(makeJoinToken, onMade);
  const projectId = chosen ?? projects[0] ?? "";
  const start = () => {
    const found = { uses: wholeProblem(uses, 1, USES_MAX), days: wholeProblem(days, 1, DAYS_MAX) };
    setWrong(found);
    if (found.uses !== null) document.getElementById("token-uses")?.focus();
    else if (found.days !== null) document.getElementById("token-days")?.focus();
    else act.run({ projectId, task, uses: Number(uses), days: Number(days) });
  };
  if (!deeds.isOpen("new", "make"))
    return (
      <p>
        <Button id={deeds.linkId("new", "make")} onClick={() => deeds.toggle("new", "make")}>
          Make a join token…
        </Button>
      </p>
    );
  return (
    <Deed
      entries={[
        joinTokenEntry(
          { projectId, task, uses: wholeProblem(uses, 1, USES_MAX) === null ? Number(uses) : 1 },
          me,
        ),
      ]}
      note={
        <p>Whoever holds the token joins with it, as often as it says. Give it only to those you mean.</p>
      }
      act={act}
      doLabel="Make it"
      onDo={start}
      keepLabel="Not now"
      onKeep={() => deeds.close()}
    >
      <ProjectSelect id="token-project" projects={projects} value={projectId} onValue={setChosen} />
      <TaskSelect id="token-task" value={task} onValue={setTask} />
      <div className="grid grid-cols-2 gap-4">
        <TextInput
          id="token-uses"
          label="Devices that may use it"
          inputMode="numeric"
          value={uses}
          onValue={setUses}
          error={wrong.uses}
        />
        <TextInput
          id="token-days"
          label="Days, at most 90"
          inputMode="numeric"
          value={days}
          onValue={setDays}
          error={wrong.days}
        />
      </div>
    </Deed>
  );
}
