"use client";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { getPasskeyOptions, type Proof, proveSession } from "../../data/access.ts";
import { useSession } from "../../data/access-queries.ts";
import { presentPasskey } from "../../data/passkeys.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { PROVE_BY_LINK } from "../../words/doors.ts";
import { OpenIdButton } from "./openid-button.tsx";

/** Asks again who one is, in place, and then goes on with what was begun. */
export function ProofForm({ onProved }: { readonly onProved: () => void }) {
  const { data: session } = useSession();
  const box = useRef<HTMLElement>(null);
  const id = useId();
  const prove = useMutation({
    mutationFn: async (proof: Proof | "passkey") =>
      proveSession(
        proof === "passkey" ? { type: "passkey", answer: await presentPasskey(getPasskeyOptions) } : proof,
      ),
    onSuccess: onProved,
  });
  useEffect(() => box.current?.focus(), []);
  const ways = session?.signsInWith ?? [];
  return (
    <section
      ref={box}
      tabIndex={-1}
      aria-labelledby={id}
      className="grid max-w-96 gap-4 border-l-2 border-ink pl-4"
    >
      <p id={id}>This needs a fresh proof of who you are.</p>
      {ways.length === 1 && ways.includes("link") && <p>{PROVE_BY_LINK}</p>}
      {ways.includes("passkey") && (
        <Button kind="main" disabled={prove.isPending} onClick={() => prove.mutate("passkey")}>
          Use your passkey
        </Button>
      )}
      {ways.includes("password") && (
        <PasswordProof
          isPending={prove.isPending}
          onProof={(password) => prove.mutate({ type: "password", password })}
        />
      )}
      {ways.includes("openid") && (
        <OpenIdButton start={() => ({ to: window.location.pathname, purpose: "prove" })}>
          Prove it with your OpenID account
        </OpenIdButton>
      )}
      {prove.error !== null && <ErrorLine>{prove.error.message}</ErrorLine>}
    </section>
  );
}

function PasswordProof(props: { readonly isPending: boolean; readonly onProof: (password: string) => void }) {
  const { isPending, onProof } = props;
  const [password, setPassword] = useState("");
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onProof(password);
  };
  return (
    <form className="grid gap-3" onSubmit={submit}>
      <TextInput
        id={id}
        label="Your password"
        value={password}
        onValue={setPassword}
        type="password"
        required
        maxLength={256}
        autoComplete="current-password"
      />
      <Button type="submit" disabled={isPending}>
        Use the password
      </Button>
    </form>
  );
}
