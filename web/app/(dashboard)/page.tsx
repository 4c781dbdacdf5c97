import type { Metadata } from "next";
import { Home } from "../../features/home/home.tsx";

export const metadata: Metadata = { title: "Runs" };

export default function Page() {
  return <Home />;
}
