import type { Metadata } from "next";
import { BareTopBar } from "../features/shell/brand.tsx";
import { NotFoundNote } from "../ui/states.tsx";

export const metadata: Metadata = { title: "Nothing here" };

export default function NotFound() {
  return (
    <>
      <BareTopBar />
      <main id="main" className="wrap">
        <NotFoundNote what="page" />
      </main>
    </>
  );
}
