/*
 * Events that a peer's own client would never send, as text of the socket.io protocol. The names mean something to
 * socket.io, to Node's emitters or to an object; the arguments break code that turns them into a string, uses them as
 * keys or walks them.
 */

/** Names that are not our events, or that socket.io and Node's emitters reserve. */
export const RESERVED_NAMES = [
  "error",
  "connect",
  "connection",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
  "new_namespace",
  "initial_headers",
  "headers",
  "connection_error",
  "close",
  "data",
  "packet",
  "message",
  "uncaughtException",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
] as const;

/** One argument each, as JSON. */
export const HOSTILE_ARGUMENTS = [
  '{"toString":null}',
  '{"toString":1}',
  '{"toString":null,"valueOf":null}',
  '{"toJSON":1}',
  '{"message":{"toString":null},"stack":1}',
  '{"then":1}',
  '{"__proto__":{"toString":null}}',
  '{"constructor":{"prototype":null}}',
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":"__proto__"}',
  '{"length":1e9}',
  "null",
  "1e400",
  '"\\ud800"',
  `${"[".repeat(300)}${"]".repeat(300)}`,
] as const;

/** Longer than any text of ours: these end the connection. */
export const HOSTILE_LONG_ARGUMENTS = [
  `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  `{${Array.from({ length: 40_000 }, (_, index) => `"${index}":0`).join(",")}}`,
  `"${"x".repeat(900_000)}"`,
] as const;

/** Event names that are not text. */
export const HOSTILE_NAMES = [
  "1",
  "null",
  '{"toString":null}',
  '["error"]',
  '{"_placeholder":true,"num":0}',
] as const;
