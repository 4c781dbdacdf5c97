import type { Metadata } from "next";
import { Invited } from "../../../features/doors/invited.tsx";

export const metadata: Metadata = { title: "Invitation" };

export default function Page() {
  return <Invited />;
}
