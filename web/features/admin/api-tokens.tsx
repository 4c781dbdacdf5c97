"use client";
import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { TOKEN_SCOPES, type TokenScope } from "#shared/access/roles.ts";
import { mayWords, scopeWords } from "#shared/access/sentences.ts";
import type { ApiTokenView, OwnSession } from "#shared/protocol/access-api.ts";
import { useAllTokens, useOwnTokens } from "../../data/access-queries.ts";
import { makeApiToken, revokeAnyToken, revokeOwnToken } from "../../data/admin.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import {
  apiTokenEntry,
  apiTokenRevokedEntry,
  lastSeenWords,
  shownName,
  tokenEnds,
} from "../../words/access.ts";
import { wholeProblem } from "../../words/launch.ts";
import { ProofGate, useAct } from "../doors/use-act.tsx";
import { Deed, DeedLink, type Deeds, Said, useDeeds } from "./deeds.tsx";
import { Secret } from "./secret.tsx";

const SECTION = "api-tokens";

/** Everyone's API tokens, for admins. */
export function AllApiTokens({ me }: { readonly me: OwnSession }) {
  return <ApiTokens me={me} query={useAllTokens()} revoke={revokeAnyToken} />;
}

/** The reader's own API tokens. */
export function OwnApiTokens({ me }: { readonly me: OwnSession }) {
  return <ApiTokens me={me} query={useOwnTokens()} revoke={revokeOwnToken} />;
}

function ApiTokens(props: {
  readonly me: OwnSession;
  readonly query: UseQueryResult<ApiTokenView[]>;
  readonly revoke: (tokenId: string) => Promise<ApiTokenView>;
}) {
  const { me, query, revoke } = props;
  const deeds = useDeeds(SECTION);
  const [token, setToken] = useState<string | null>(null);
  const show = (made: string) => {
    deeds.close();
    setToken(made);
  };
  return (
    <Section
      id={SECTION}
      title="API tokens"
      note="For scripts and MLflow. At most 90 days; never more than the rights of whoever made it."
    >
      <div className="grid gap-4">
        <ProofGate query={query} what="the API tokens">
          {(rows) => <ApiTokenTable {...{ rows, deeds, revoke }} me={me.name} />}
        </ProofGate>
        <Said deeds={deeds} />
        {token !== null && (
          <Secret parts={[{ what: "the token", text: token }]} onDone={() => setToken(null)}>
            A script sends it as <code>Authorization: Bearer</code>.
          </Secret>
        )}
        <MakeApiToken me={me.name} deeds={deeds} onMade={show} />
      </div>
    </Section>
  );
}

function ApiTokenTable(props: {
  readonly rows: readonly ApiTokenView[];
  readonly deeds: Deeds;
  readonly revoke: (tokenId: string) => Promise<ApiTokenView>;
  readonly me: string;
}) {
  const { rows, deeds, revoke, me } = props;
  const act = useAct(revoke, () => deeds.close("Revoked. It is refused from now on."));
  if (rows.length === 0) return <p className="note">There are no API tokens.</p>;
  return (
    <DataTable
      caption="API tokens"
      records
      rows={rows}
      rowKey={({ tokenId }) => tokenId}
      columns={[
        { label: "Token", cell: ({ shown }) => <code>{shown}…</code> },
        {
          label: "For",
          cell: ({ label, madeBy }) => (
            <span className="wrap-anywhere">{`${label}, ${shownName(madeBy, me)}`}</span>
          ),
        },
        { label: "May", cell: ({ scopes }) => mayWords(scopes) },
        { label: "Last used", cell: ({ lastUsedAt }) => lastSeenWords(lastUsedAt, Date.now()) },
        {
          label: "Ends",
          cell: (token) => {
            const { mark, words } = tokenEnds(token, Date.now());
            return mark === null ? words : <StatusMark kind={mark}>{words}</StatusMark>;
          },
        },
        {
          label: "Change",
          hiddenLabel: true,
          cell: ({ tokenId, label, isRevoked }) =>
            !isRevoked && (
              <DeedLink deeds={deeds} row={tokenId} what="revoke" about={label}>
                Revoke…
              </DeedLink>
            ),
        },
      ]}
      under={({ tokenId }) =>
        deeds.isOpen(tokenId, "revoke") ? (
          <Deed
            entries={[apiTokenRevokedEntry(me)]}
            act={act}
            doLabel="Revoke"
            stops
            onDo={() => act.run(tokenId)}
            onKeep={() => deeds.close()}
          >
            <p>What runs with it is refused from now on.</p>
          </Deed>
        ) : null
      }
    />
  );
}

const DAYS_MAX = 90;

function MakeApiToken(props: {
  readonly me: string;
  readonly deeds: Deeds;
  readonly onMade: (token: string) => void;
}) {
  const { me, deeds, onMade } = props;
  const [label, setLabel] = useState("");
  const [scopes, setScopes] = useState<readonly TokenScope[]>(["read"]);
  const [days, setDays] = useState("30");
  const [wrong, setWrong] = useState<{ readonly label?: string | null; readonly days?: string | null }>({});
  const act = useAct(makeApiToken, ({ token }) => {
    setLabel("");
    onMade(token);
  });
  const start = () => {
    const found = {
      label: label.trim() === "" ? "Say what it is for, such as “nightly export”." : null,
      days: wholeProblem(days, 1, DAYS_MAX),
    };
    setWrong(found);
    if (found.label !== null) document.getElementById("api-label")?.focus();
    else if (found.days !== null) document.getElementById("api-days")?.focus();
    else act.run({ label: label.trim(), scopes, days: Number(days) });
  };
  if (!deeds.isOpen("new", "make"))
    return (
      <p>
        <Button id={deeds.linkId("new", "make")} onClick={() => deeds.toggle("new", "make")}>
          Make an API token…
        </Button>
      </p>
    );
  return (
    <Deed
      entries={scopes.length === 0 ? [] : [apiTokenEntry(scopes, me)]}
      note={<p>What it is for stays off the log.</p>}
      act={act}
      doLabel="Make it"
      onDo={start}
      keepLabel="Not now"
      onKeep={() => deeds.close()}
    >
      <TextInput
        id="api-label"
        label="What it is for"
        value={label}
        onValue={setLabel}
        error={wrong.label}
        maxLength={80}
      />
      <ScopeBoxes scopes={scopes} onScopes={setScopes} />
      <TextInput
        id="api-days"
        label="Days, at most 90"
        className="max-w-40"
        inputMode="numeric"
        value={days}
        onValue={setDays}
        error={wrong.days}
      />
    </Deed>
  );
}

function ScopeBoxes(props: {
  readonly scopes: readonly TokenScope[];
  readonly onScopes: (scopes: readonly TokenScope[]) => void;
}) {
  const { scopes, onScopes } = props;
  const toggle = (scope: TokenScope) =>
    // In the order of the list, as the log shows them.
    onScopes(TOKEN_SCOPES.filter((one) => scopes.includes(one) !== (one === scope)));
  return (
    <fieldset className="grid gap-1 text-sm">
      <legend className="text-ink-2">It may</legend>
      {TOKEN_SCOPES.map((scope) => (
        <label key={scope} className="flex min-h-8 items-center gap-2">
          <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
          {scopeWords(scope)}
        </label>
      ))}
    </fieldset>
  );
}
