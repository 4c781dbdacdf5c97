import type { Metadata } from "next";
import { NotFoundNote } from "../../ui/states.tsx";

export const metadata: Metadata = { title: "Nothing here" };

/** Inside the dashboard's own bar and main: an address whose id cannot be one. */
export default function NotFound() {
  return <NotFoundNote what="page" />;
}
