import { verifySignature } from "#shared/crypto/signature.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { readHelloRefusal, WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { certificateItem, loginItem } from "#shared/secagg/signed-items.ts";
import type { Authority } from "#shared/task/agreed-config.ts";
import type { ClientPorts } from "../ports.ts";

/**
 * Shows the coordinator who this device is, and checks that it is certified by the pinned issuer: hello, challenge,
 * authenticate, welcome.
 *
 * Errors: `offline`, or why it was refused (BAD_CERTIFICATE is this device's own refusal).
 */
export async function logIn(
  { link, signer, primitives }: Pick<ClientPorts, "link" | "signer" | "primitives">,
  task: TaskSlug,
  authority: Authority,
  joinToken: string | undefined,
): Promise<
  Result<void, { readonly type: "offline" } | { readonly type: "refused"; readonly error: WireError }>
> {
  const identity = signer.publicKey;
  const hello = await link.send({ type: "hello", protocol: "chorus/1", wire: WIRE_VERSION, task, identity });
  if (!hello.ok) return hello;
  if (hello.value.type === "refused")
    return err({ type: "refused", error: readHelloRefusal(hello.value.error) });
  if (hello.value.type !== "challenge") return refuse("BAD_MESSAGE");
  const signature = await signer.sign(loginItem(hello.value.challenge, authority.projectId, task, identity));
  const answer = await link.send({ type: "authenticate", signature, joinToken });
  if (!answer.ok) return answer;
  if (answer.value.type === "refused") return err(answer.value);
  if (answer.value.type !== "welcome") return refuse("BAD_MESSAGE");
  const { projectId, issuerKey, certificate } = answer.value;
  if (projectId !== authority.projectId || bytesToHex(issuerKey) !== authority.issuerKey)
    return refuse("BAD_CERTIFICATE");
  const item = certificateItem(projectId, identity);
  const certified = await verifySignature(primitives, hexToBytes(authority.issuerKey), item, certificate);
  return certified ? ok(undefined) : refuse("BAD_CERTIFICATE");
}

function refuse(code: "BAD_MESSAGE" | "BAD_CERTIFICATE") {
  return err({ type: "refused", error: wireError(code) } as const);
}
