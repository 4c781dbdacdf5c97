import type { Metadata } from "next";
import { NotFoundNote } from "../../components/states.tsx";

export const metadata: Metadata = { title: "Nothing here" };

/** Inside the dashboard's own bar and main: an address whose id cannot be one. */
export default function NotFound() {
  return <NotFoundNote what="page" />;
}
