"use client";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import type { OwnSession } from "#shared/protocol/access-api.ts";
import { type beginOpenId, type Credential, getNewPasskeyOptions } from "../../data/access.ts";
import { useSetup } from "../../data/access-queries.ts";
import { ApiFailure } from "../../data/api.ts";
import { hasPasskeys, makePasskey } from "../../data/passkeys.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { AS_TYPED, TextInput } from "../../ui/text-input.tsx";
import { nameProblem, newAccountProblem, PASSWORD_LENGTH_MIN, passwordProblem } from "../../words/doors.ts";
import { goOn } from "../shell/use-doors.ts";
import { OpenIdButton } from "./openid-button.tsx";

interface NewAccountProps {
  readonly name: string;
  readonly onName: (name: string) => void;
  /** Makes the account. @throws ApiFailure */
  readonly make: (credential: Credential) => Promise<OwnSession>;
  /** True if the other fields of the form are right; shows what is wrong with them otherwise. */
  readonly check?: () => boolean;
  /** How the account is made by one at the OpenID provider; absent where that cannot be. */
  readonly openId?: (name: string) => Parameters<typeof beginOpenId>[0];
  /** Other fields, after the name. */
  readonly children?: ReactNode;
}

/** What is wrong with each field; null or absent if nothing is. */
interface WrongFields {
  readonly name?: string | null;
  readonly password?: string | null;
}

/** `start` makes the account by this password, or by a passkey if it is null, unless a field is wrong. */
function useNewAccount(name: string, make: NewAccountProps["make"], check: () => boolean) {
  const [wrong, setWrong] = useState<WrongFields>({});
  const account = useMutation({
    mutationFn: async (typed: string | null) =>
      make(
        typed === null
          ? { type: "passkey", answer: await makePasskey(() => getNewPasskeyOptions(name)) }
          : { type: "password", password: typed },
      ),
    onSuccess: goOn,
  });
  const { error } = account;
  const problem =
    error === null ? null : newAccountProblem(error instanceof ApiFailure ? error.code : null, error.message);
  const start = (typed: string | null) => {
    const found = {
      name: nameProblem(name),
      password: typed === null ? null : passwordProblem(typed),
    };
    setWrong(found);
    account.reset();
    const othersAreRight = check();
    if (found.name !== null) document.getElementById("name")?.focus();
    else if (found.password !== null && othersAreRight) document.getElementById("password")?.focus();
    else if (othersAreRight) account.mutate(typed);
  };
  return { account, problem, wrong, setWrong, start };
}

/** Name and way to sign in of a new account, for set-up and for invitations. */
export function NewAccount({ name, onName, make, check = () => true, openId, children }: NewAccountProps) {
  const [password, setPassword] = useState("");
  const { data: setup } = useSetup();
  const [mayUsePasskey, setMayUsePasskey] = useState(true);
  useEffect(() => setMayUsePasskey(hasPasskeys()), []);
  const { account, problem, wrong, setWrong, start } = useNewAccount(name, make, check);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start(password);
  };
  const nameError = wrong.name ?? (problem?.under === "name" ? problem.sentence : null);
  return (
    <form className="grid gap-4" onSubmit={submit} noValidate>
      <TextInput
        id="name"
        label="Your name in the log"
        note="Public, and it stays for good. It need not be your real name."
        value={name}
        onValue={onName}
        error={nameError}
        maxLength={64}
        autoComplete="username"
        {...AS_TYPED}
      />
      {children}
      {problem?.under === null && <ErrorLine>{problem.sentence}</ErrorLine>}
      {mayUsePasskey && (
        <>
          <Button kind="main" disabled={account.isPending} onClick={() => start(null)}>
            Make a passkey
          </Button>
          <p className="or">or</p>
        </>
      )}
      {openId && setup?.hasOpenId && (
        <OpenIdButton
          start={() => {
            const found = nameProblem(name);
            setWrong({ name: found });
            return found === null ? openId(name) : null;
          }}
        >
          Use your OpenID account
        </OpenIdButton>
      )}
      <NewPasswordField value={password} onChange={setPassword} error={wrong.password ?? null} />
      <Button type="submit" disabled={account.isPending}>
        Use the password
      </Button>
    </form>
  );
}

/** Field of a password that is to be set, with what it takes. */
export function NewPasswordField(props: {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | null;
}) {
  const { value, onChange, error } = props;
  return (
    <TextInput
      id="password"
      label={`Password, at least ${PASSWORD_LENGTH_MIN} characters`}
      note="A sentence is easier to keep than a word."
      value={value}
      onValue={onChange}
      error={error}
      type="password"
      maxLength={256}
      autoComplete="new-password"
    />
  );
}
