"use client";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import type { OwnSession } from "#shared/protocol/access-api.ts";
import { getPasskeyOptions, signIn, signInByLink, signInByPasskey } from "../../data/access.ts";
import { useSetup } from "../../data/access-queries.ts";
import { ApiFailure } from "../../data/api.ts";
import { hasPasskeys, presentPasskey } from "../../data/passkeys.ts";
import { useTasks } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { AS_TYPED, TextInput } from "../../ui/text-input.tsx";
import { useHydrated } from "../../ui/use-hydrated.ts";
import {
  clockSentence,
  type DoorProblem,
  NEW_PLACE,
  refusedSentence,
  signInProblem,
} from "../../words/doors.ts";
import { goOn, takeReason, wantedPath } from "../shell/use-doors.ts";
import { Door } from "./door.tsx";
import { OpenIdButton } from "./openid-button.tsx";
import { useFragmentToken } from "./use-fragment-token.ts";

/**
 * What a person should know before they go on; empty if there is nothing.
 *
 * @param byLink  True if they came by a link, whose browser is always a new one to them.
 */
function arrivalNotes(session: OwnSession, byLink: boolean): readonly string[] {
  const clock = clockSentence(session.now, Date.now());
  return [session.isNewPlace && !byLink ? NEW_PLACE : null, clock].filter((note) => note !== null);
}

/** `/sign-in`: with a passkey, a password, or the link that a demo prints. */
export function SignIn() {
  const token = useFragmentToken("signIn");
  const [reason, setReason] = useState<string | null>(null);
  const [notes, setNotes] = useState<readonly string[] | null>(null);
  const arrive = (session: OwnSession, byLink = false) => {
    const found = arrivalNotes(session, byLink);
    if (found.length > 0) setNotes(found);
    else goOn();
  };
  const byLink = useMutation({ mutationFn: signInByLink, onSuccess: (session) => arrive(session, true) });
  const openLink = byLink.mutate;
  useEffect(() => {
    const refused = new URLSearchParams(window.location.search).get("refused");
    setReason((before) => before ?? takeReason() ?? refusedSentence(refused));
    if (token) openLink(token);
  }, [token, openLink]);
  return (
    <Door
      title={notes === null ? "Sign in" : "You are signed in"}
      lead="Taking part needs no account. Starting, reading and auditing runs do."
      words={<TaskLinks />}
      problem={byLink.error?.message ?? reason}
    >
      {notes === null ? <SignInForms onDone={(session) => arrive(session)} /> : <Arrival notes={notes} />}
    </Door>
  );
}

function Arrival({ notes }: { readonly notes: readonly string[] }) {
  return (
    <div role="status" className="grid gap-4">
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      <Button kind="main" onClick={goOn}>
        Go on
      </Button>
    </div>
  );
}

/** Tasks that anyone may take part in, at most this many. */
const TASK_COUNT_MAX = 5;

function TaskLinks() {
  const { data: tasks = [] } = useTasks();
  const slugs = [...new Set(tasks.map(({ task }) => task.slug))].slice(0, TASK_COUNT_MAX);
  return (
    <p className="read">
      Came to take part? Open{" "}
      {slugs.length > 0 && (
        <>
          the task:{" "}
          {slugs.map((slug) => (
            <span key={slug}>
              <a href={`/join/${slug}`}>{slug}</a>,{" "}
            </span>
          ))}
          or{" "}
        </>
      )}
      the link you were given.
    </p>
  );
}

function SignInForms({ onDone }: { readonly onDone: (session: OwnSession) => void }) {
  const byPasskey = useMutation({
    mutationFn: async () => signInByPasskey(await presentPasskey(getPasskeyOptions)),
    onSuccess: onDone,
  });
  const byPassword = useMutation({
    mutationFn: ({ name, password }: { readonly name: string; readonly password: string }) =>
      signIn(name, password),
    onSuccess: onDone,
  });
  const isHydrated = useHydrated();
  const { data: setup } = useSetup();
  const [mayUsePasskey, setMayUsePasskey] = useState(true);
  useEffect(() => setMayUsePasskey(hasPasskeys()), []);
  const { error } = byPassword;
  const problem =
    error === null ? null : signInProblem(error instanceof ApiFailure ? error.code : null, error.message);
  return (
    <>
      {mayUsePasskey && (
        <>
          <Button
            kind="main"
            disabled={byPasskey.isPending || !isHydrated}
            onClick={() => byPasskey.mutate()}
          >
            {byPasskey.isPending ? "Waiting for your passkey" : "Use a passkey"}
          </Button>
          {byPasskey.error !== null && <ErrorLine>{byPasskey.error.message}</ErrorLine>}
          <p className="or">or</p>
        </>
      )}
      {setup?.hasOpenId && (
        <OpenIdButton start={() => ({ to: wantedPath() })}>Use your OpenID account</OpenIdButton>
      )}
      <PasswordForm problem={problem} isPending={byPassword.isPending} onSubmit={byPassword.mutate} />
      <p className="note">
        No account? An admin invites by a link. Lost your passkey? An admin can make a new invitation; nobody
        can read or reset a password.
      </p>
    </>
  );
}

interface PasswordFormProps {
  readonly problem: DoorProblem | null;
  readonly isPending: boolean;
  readonly onSubmit: (typed: { readonly name: string; readonly password: string }) => void;
}

function PasswordForm({ problem, isPending, onSubmit }: PasswordFormProps) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const isHydrated = useHydrated();
  useEffect(() => {
    // What was typed or filled in before the scripts ran.
    setName((typed) => typed || typedInto("name"));
    setPassword((typed) => typed || typedInto("password"));
  }, []);
  const reason = problem?.under === "credentials" ? "sign-in-error" : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit({ name: name.trim(), password });
  };
  return (
    <form className="grid gap-4" onSubmit={submit}>
      <TextInput
        id="name"
        label="Name"
        value={name}
        onValue={setName}
        wrongBecauseOf={reason}
        required
        maxLength={64}
        autoComplete="username webauthn"
        {...AS_TYPED}
      />
      <TextInput
        id="password"
        label="Password"
        value={password}
        onValue={setPassword}
        wrongBecauseOf={reason}
        type="password"
        required
        maxLength={256}
        autoComplete="current-password"
      />
      {problem !== null && <ErrorLine id="sign-in-error">{problem.sentence}</ErrorLine>}
      <Button type="submit" disabled={isPending || !isHydrated}>
        {isPending ? "Signing in" : "Sign in"}
      </Button>
    </form>
  );
}

function typedInto(id: string): string {
  const input = document.getElementById(id);
  return input instanceof HTMLInputElement ? input.value : "";
}
