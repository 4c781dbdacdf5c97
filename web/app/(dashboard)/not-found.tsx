import type { Metadata } from "next";
import { NotFoundNote } from "../../ui/states.tsx";

export const metadata: Metadata = { title: "Nothing here" };

/** Keeps the dashboard's bar around an address whose id is malformed. */
export default function NotFound() {
  return <NotFoundNote what="page" />;
}
