"use client";
import { useMutation } from "@tanstack/react-query";
import { beginOpenId } from "../../data/access.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";

interface OpenIdButtonProps {
  /** Null if something is missing, which the page then says. */
  readonly start: () => Parameters<typeof beginOpenId>[0] | null;
  readonly children: string;
}

/** Goes to the OpenID provider, which sends the browser back. */
export function OpenIdButton({ start, children }: OpenIdButtonProps) {
  const begin = useMutation({
    mutationFn: beginOpenId,
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const go = () => {
    const wanted = start();
    if (wanted !== null) begin.mutate(wanted);
  };
  return (
    <>
      <Button disabled={begin.isPending} onClick={go}>
        {children}
      </Button>
      {begin.error !== null && <ErrorLine>{begin.error.message}</ErrorLine>}
    </>
  );
}
