import type { SocketEndpoint } from "#coordinator/adapters/socket/endpoint.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { type Reply, replySchema } from "#shared/protocol/messages/reply.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { loginItem } from "#shared/secagg/signed-items.ts";
import type { WholeShell } from "../../worlds/whole-shell.ts";
import { joinRawSocket, type RawSocket } from "../raw-socket.ts";
import { KIND_NUMBERS, type Kind } from "./kinds.ts";
import type { Finding, Tried } from "./run-http.ts";
import { sampleOf } from "./sample.ts";
import { type Packet, type SocketCase, type SocketWorld, socketCases } from "./socket-cases.ts";

/** Code of a refusal; "" if the event was accepted, null if the connection ended. */
export async function hearCode(socket: RawSocket, namespace: string, id: number): Promise<string | null> {
  if (namespace !== "/device") {
    const text = await socket.hear((packet) => packet.startsWith(`3${namespace},${id}[`));
    if (text === null) return null;
    const [answer] = JSON.parse(text.slice(`3${namespace},${id}`.length)) as [unknown];
    const refusal = apiErrorSchema.safeParse(answer);
    return refusal.success ? refusal.data.error.code : "";
  }
  const reply = await hearReply(socket, id);
  return reply === null ? null : reply.type === "refused" ? reply.error.code : "";
}

async function hearReply(socket: RawSocket, id: number): Promise<Reply | null> {
  const announced = await socket.hear((packet) => packet.startsWith(`61-/device,${id}[`));
  const bytes = announced === null ? null : await socket.hear((packet) => packet.startsWith("binary:"));
  if (bytes === null) return null;
  const reply = decodeFrame(new Uint8Array(Buffer.from(bytes.slice("binary:".length), "hex")), replySchema);
  if (!reply.ok) throw new Error("the answer is no reply");
  return reply.value;
}

function sayAll(socket: RawSocket, packets: readonly Packet[]): void {
  for (const packet of packets) {
    if (!socket.isOpen) return;
    if (typeof packet === "string") socket.say(packet);
    else socket.sayBytes(packet);
  }
}

/** Sends all thirty kinds of one message, to the doors of this world. */
export async function tryMessage(endpoint: SocketEndpoint, kind: string, world: WholeShell): Promise<Tried> {
  const row = socketCases(endpoint, kind, socketWorldOf(endpoint, kind, world));
  const speakers = new Speakers(endpoint, world);
  const findings: Finding[] = [];
  let caseCount = 0;
  try {
    for (const number of KIND_NUMBERS) {
      const cell = row[number];
      if ("reason" in cell) continue;
      caseCount += cell.cases.length;
      findings.push(...(await tryKind(number, cell.cases, speakers, world)));
    }
  } finally {
    speakers.close();
  }
  return { findings, caseCount };
}

async function tryKind(
  kind: Kind,
  cases: readonly SocketCase[],
  speakers: Speakers,
  world: WholeShell,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const one of cases) {
    const { federation } = world;
    const socket = await speakers.of(one.as);
    await federation.inFlight.settle();
    const before = world.digest();
    const code = await speakers.say(socket, one);
    await federation.inFlight.settle();
    const complain = (complaint: string) => findings.push({ kind, about: one.about, complaint });
    if (code === null && one.mayEnd !== true) complain("the connection ended");
    if (code === "" && one.expect === "refused") complain("accepted");
    if (code === "INTERNAL" || code === "RATE_LIMITED") complain(code);
    if (code !== null && world.digest() !== before) complain("something changed");
  }
  return findings;
}

/** One connection of each sort, opened again if a case has ended it. */
class Speakers {
  readonly #endpoint: SocketEndpoint;
  readonly #world: WholeShell;
  readonly #open = new Map<SocketCase["as"], RawSocket>();
  #id = 0;

  constructor(endpoint: SocketEndpoint, world: WholeShell) {
    this.#endpoint = endpoint;
    this.#world = world;
  }

  async of(as: SocketCase["as"]): Promise<RawSocket> {
    this.#world.rest();
    const known = this.#open.get(as);
    if (known?.isOpen === true) return known;
    const socket = await joinRawSocket(this.#world.shell.url, this.#endpoint.namespace);
    if (as === "device")
      await (this.#endpoint.namespace === "/dash" ? this.#bringTicket(socket) : this.#logIn(socket));
    this.#open.set(as, socket);
    return socket;
  }

  async say(socket: RawSocket, { packets }: SocketCase): Promise<string | null> {
    const id = this.#id++;
    sayAll(socket, packets(id));
    return hearCode(socket, this.#endpoint.namespace, id);
  }

  /** Makes the connection that of an admin's dashboard. */
  async #bringTicket(socket: RawSocket): Promise<void> {
    const id = this.#id++;
    socket.say(`2/dash,${id}["watch",${JSON.stringify({ ticket: this.#world.shell.ticket() })}]`);
    if ((await hearCode(socket, "/dash", id)) !== "") throw new Error("the ticket was refused");
  }

  async #logIn(socket: RawSocket): Promise<void> {
    const { signer } = this.#world.device.tools;
    const { slug } = this.#world.federation.task;
    const ask = async (message: object) => {
      const id = this.#id++;
      const announcement = `51-/device,${id}["frame",{"_placeholder":true,"num":0}]`;
      sayAll(socket, [announcement, encodeFrame(message)]);
      return hearReply(socket, id);
    };
    const identity = signer.publicKey;
    const hello = { type: "hello", protocol: "chorus/1", wire: WIRE_VERSION, task: slug, identity };
    const challenge = await ask(hello);
    if (challenge?.type !== "challenge") throw new Error("no challenge");
    const signature = await signer.sign(loginItem(challenge.challenge, "default", slug, identity));
    const welcome = await ask({ type: "authenticate", signature });
    if (welcome?.type !== "welcome") throw new Error("no welcome");
    await this.#world.federation.inFlight.settle();
  }

  close(): void {
    for (const socket of this.#open.values()) socket.close();
  }
}

/** Of an open round whose device has sent everything but its input. */
export function socketWorldOf(endpoint: SocketEndpoint, kind: string, world: WholeShell): SocketWorld {
  const schema = endpoint.messages[kind];
  if (schema === undefined) throw new Error(`no message ${kind}`);
  const { federation, openRunId, input, overSid, device } = world;
  const sample = sampleOf(schema) as Readonly<Record<string, unknown>>;
  const known: Readonly<Record<string, unknown>> = {
    task: federation.task.slug,
    runId: openRunId,
    sid: input.sid,
    identity: new Uint8Array(Buffer.from(device.identity, "hex")),
    taskVersion: federation.task.version,
  };
  const good = Object.fromEntries(
    Object.entries(sample).map(([name, value]) => [name, known[name] ?? value]),
  );
  const elsewhere =
    "sid" in good ? [good, { ...good, sid: overSid }] : "round" in good ? [good, { ...good, round: 9 }] : [];
  return { good, elsewhere, ids: new Set([known["task"], openRunId, input.sid]) };
}

/** Whether a message is good, as the control: what a stranger or a device hears to it. */
export async function sayGood(
  endpoint: SocketEndpoint,
  kind: string,
  world: WholeShell,
): Promise<string | null> {
  const { good } = socketWorldOf(endpoint, kind, world);
  const speakers = new Speakers(endpoint, world);
  try {
    const { namespace, event: name, dialect } = endpoint;
    const isFramed = dialect.name === "frame";
    return await speakers.say(
      await speakers.of(kind === "hello" || kind === "ticket" ? "stranger" : "device"),
      {
        about: kind,
        packets: (id) =>
          isFramed
            ? [`51-${namespace},${id}["${name}",{"_placeholder":true,"num":0}]`, encodeFrame(good)]
            : [`2${namespace},${id}["${name}",${JSON.stringify(good)}]`],
        expect: "harmless",
        as: "device",
      },
    );
  } finally {
    speakers.close();
  }
}
