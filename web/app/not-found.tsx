import type { Metadata } from "next";
import { NotFoundNote } from "../components/states.tsx";
import { BareTopBar } from "../components/top-bar.tsx";

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
