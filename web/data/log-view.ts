"use client";
import { useQuery } from "@tanstack/react-query";
import { logViewSchema } from "#shared/protocol/log-api.ts";
import { read } from "./api.ts";

/** What the coordinator says of its log. Nothing of it is checked here. */
export const useLogView = () =>
  useQuery({
    queryKey: ["log-view"],
    queryFn: () => read(logViewSchema, "/log"),
    staleTime: 10_000,
    retry: false,
  });
