import type { Metadata } from "next";
import Link from "next/link";
import { BareTopBar } from "../components/top-bar.tsx";

export const metadata: Metadata = { title: "Nothing here" };

export default function NotFound() {
  return (
    <>
      <BareTopBar />
      <main id="main" className="wrap grid gap-4 pt-8 pb-16">
        <h1>Nothing here</h1>
        <p className="lead">There is no page under this address. Nothing was changed.</p>
        <p>
          Check the link, or go to <Link href="/">Runs</Link>.
        </p>
      </main>
    </>
  );
}
