"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ComponentProps } from "react";
import { ACCESS } from "../../data/access-queries.ts";
import { ApiFailure } from "../../data/api.ts";
import { FailureNote, QueryGate } from "../shell/query-gate.tsx";
import { ProofForm } from "./proof-form.tsx";

/** One act of a person about access, which may take a fresh proof of who they are. */
export interface Act<Input> {
  readonly run: (input: Input) => void;
  readonly isPending: boolean;
  readonly states: ActStatesProps;
}

interface ActStatesProps {
  readonly failure: Error | null;
  /** Set while a fresh proof is asked for; does the act again. */
  readonly repeat: (() => void) | null;
}

/** @param onDone  Gets the answer; all lists of access are fetched again. */
export function useAct<Input, Answer>(
  does: (input: Input) => Promise<Answer>,
  onDone: (answer: Answer) => void,
): Act<Input> {
  const cache = useQueryClient();
  const act = useMutation({
    mutationFn: does,
    onSuccess: (answer) => {
      onDone(answer);
      void cache.invalidateQueries({ queryKey: ACCESS });
    },
  });
  const { error, variables, mutate } = act;
  const asks = needsProof(error);
  return {
    run: mutate,
    isPending: act.isPending,
    states: {
      failure: asks ? null : error,
      repeat: asks ? () => mutate(variables as Input) : null,
    },
  };
}

/** `QueryGate` for what takes a fresh proof to read. */
export function ProofGate<Data>(props: ComponentProps<typeof QueryGate<Data>>) {
  const { query } = props;
  return query.data === undefined && needsProof(query.error) ? (
    <ProofForm onProved={() => void query.refetch()} />
  ) : (
    <QueryGate {...props} />
  );
}

function needsProof(error: Error | null): boolean {
  return error instanceof ApiFailure && error.code === "STEP_UP_NEEDED";
}

/** Under an act: why it was refused, or the proof that it takes. Not inside a form. */
export function ActStates({ failure, repeat }: ActStatesProps) {
  if (repeat !== null) return <ProofForm onProved={repeat} />;
  return failure === null ? null : <FailureNote error={failure} />;
}
