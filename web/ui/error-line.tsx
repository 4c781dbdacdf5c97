import type { ReactNode } from "react";
import { StatusMark } from "./status-mark.tsx";

/** What is wrong, in a line of its own, read out as soon as it appears. */
export function ErrorLine({ id, children }: { readonly id?: string; readonly children: ReactNode }) {
  return (
    <p id={id} role="alert" className="text-sm text-stop">
      <StatusMark kind="alarm">{children}</StatusMark>
    </p>
  );
}
