"use client";
import { useState } from "react";
import type { OwnSession } from "#shared/protocol/access-api.ts";
import {
  addPasskey,
  changePassword,
  endOtherSessions,
  getAddedPasskeyOptions,
  removeWay,
} from "../../data/access.ts";
import { useOwnWays, useSetup } from "../../data/access-queries.ts";
import { hasPasskeys, makePasskey } from "../../data/passkeys.ts";
import { Button } from "../../ui/button.tsx";
import { Section } from "../../ui/section.tsx";
import {
  rolesWords,
  signInChangedEntry,
  signInRemovedEntry,
  signsInWords,
  wayWords,
} from "../../words/access.ts";
import { passwordProblem } from "../../words/doors.ts";
import { formatDay } from "../../words/format.ts";
import { OwnApiTokens } from "../admin/api-tokens.tsx";
import { Deed, DeedLink, type Deeds, Said, useDeeds } from "../admin/deeds.tsx";
import { NewPasswordField } from "../doors/new-account.tsx";
import { OpenIdButton } from "../doors/openid-button.tsx";
import { ActStates, useAct } from "../doors/use-act.tsx";
import { WithSession } from "../shell/with-session.tsx";

const SECTION = "signing-in";

/** `/account`: how one signs in, other sessions, and one's own API tokens. */
export function Account() {
  return (
    <WithSession needs="session.own">
      {(me) => (
        <>
          <div className="grid gap-4 pt-7 pb-9">
            <h1 className="wrap-anywhere">{me.name}</h1>
            <p className="lead">Your roles: {rolesWords(me)}.</p>
          </div>
          <SigningIn me={me} />
          {me.permissions.includes("tokens.own") && <OwnApiTokens me={me} />}
        </>
      )}
    </WithSession>
  );
}

function SigningIn({ me }: { readonly me: OwnSession }) {
  const deeds = useDeeds(SECTION);
  const { data: setup } = useSetup();
  const others = useAct(endOtherSessions, () => deeds.close("Your other sessions have ended."));
  return (
    <Section
      id={SECTION}
      title="Signing in"
      note="Nobody can read or reset a password. Have two ways to sign in, so that losing one locks nobody out."
    >
      <div className="grid gap-4">
        <p>You sign in with: {signsInWords(me.signsInWith)}.</p>
        <Ways me={me.name} deeds={deeds} />
        <AddPasskey me={me.name} deeds={deeds} />
        <NewPassword me={me} deeds={deeds} />
        {setup?.hasOpenId && !me.signsInWith.includes("openid") && (
          <div className="grid justify-items-start gap-3">
            <OpenIdButton start={() => ({ to: "/account", purpose: "link" })}>
              Add an OpenID account
            </OpenIdButton>
          </div>
        )}
        <p className="flex flex-wrap items-center gap-3">
          <Button disabled={others.isPending} onClick={() => others.run(undefined)}>
            End my other sessions
          </Button>
          <span className="note">Wherever else you are signed in, except here.</span>
        </p>
        <ActStates {...others.states} />
        <Said deeds={deeds} />
      </div>
    </Section>
  );
}

interface WayProps {
  readonly me: string;
  readonly deeds: Deeds;
}

/** Each way with a link that removes it, unless it is the only one. */
function Ways({ me, deeds }: WayProps) {
  const { data } = useOwnWays();
  const act = useAct(removeWay, () =>
    deeds.close("It opens nothing any more. Your other sessions have ended."),
  );
  const ways = data?.items ?? [];
  if (ways.length < 2) return null;
  return (
    <ul className="grid gap-2">
      {ways.map(({ wayId, way, madeAt }) => (
        <li key={wayId} className="grid gap-3">
          <span className="flex flex-wrap gap-3">
            {wayWords(way)}, since {formatDay(madeAt)}
            <DeedLink deeds={deeds} row={wayId} what="remove" about={wayWords(way)}>
              Remove…
            </DeedLink>
          </span>
          {deeds.isOpen(wayId, "remove") && (
            <Deed
              entries={[signInRemovedEntry(way, me)]}
              note="API tokens stay. Revoke those that you do not trust."
              act={act}
              doLabel="Remove it"
              onDo={() => act.run(wayId)}
              onKeep={() => deeds.close()}
              stops
            />
          )}
        </li>
      ))}
    </ul>
  );
}

function AddPasskey({ me, deeds }: WayProps) {
  const act = useAct(
    async () => addPasskey(await makePasskey(getAddedPasskeyOptions)),
    () => deeds.close("This passkey works from now on."),
  );
  if (!hasPasskeys()) return <p className="note">This browser has no passkeys at this address.</p>;
  if (!deeds.isOpen("way", "passkey"))
    return (
      <p>
        <Button id={deeds.linkId("way", "passkey")} onClick={() => deeds.toggle("way", "passkey")}>
          Add a passkey…
        </Button>
      </p>
    );
  return (
    <Deed
      entries={[signInChangedEntry("passkey", me)]}
      act={act}
      doLabel="Add a passkey"
      onDo={() => act.run(undefined)}
      keepLabel="Not now"
      onKeep={() => deeds.close()}
    >
      <p>Your browser asks where to keep it: this device, a phone or a security key.</p>
    </Deed>
  );
}

function NewPassword({ me, deeds }: { readonly me: OwnSession; readonly deeds: Deeds }) {
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const act = useAct(changePassword, () => {
    setPassword("");
    deeds.close("The new password works from now on.");
  });
  const start = () => {
    const problem = passwordProblem(password);
    setWrong(problem);
    if (problem === null) act.run(password);
    else document.getElementById("password")?.focus();
  };
  if (!deeds.isOpen("way", "password"))
    return (
      <p>
        <Button id={deeds.linkId("way", "password")} onClick={() => deeds.toggle("way", "password")}>
          {me.signsInWith.includes("password") ? "Change the password…" : "Set a password…"}
        </Button>
      </p>
    );
  return (
    <Deed
      entries={[signInChangedEntry("password", me.name)]}
      note="It ends your other sessions. API tokens stay: revoke those that you do not trust."
      act={act}
      doLabel="Set the password"
      onDo={start}
      keepLabel="Not now"
      onKeep={() => deeds.close()}
    >
      <NewPasswordField value={password} onChange={setPassword} error={wrong} />
    </Deed>
  );
}
