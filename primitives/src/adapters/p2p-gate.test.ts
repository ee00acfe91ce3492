// Who finds a place when strangers take all they can get.
import { multiaddr } from "@multiformats/multiaddr";
import { expect, test } from "vitest";
import type { Gate } from "./p2p-gate.ts";
import { gate, strangersMax, strangersPerHostMax } from "./p2p-gate.ts";

type Connections = ReturnType<Parameters<Gate["watch"]>[0]>;

/** A door at which peers knock; whoever is let in stays. */
function door(options: Partial<Parameters<typeof gate>[0]> = {}) {
  const inside: Connections[number][] = [];
  const { gater, watch, ban } = gate({
    isPreferred: (peer) => peer.startsWith("validator"),
    oneMachine: false,
    ...options,
  });
  watch(() => inside);
  const knock = (peer: string, host: string): boolean => {
    const remoteAddr = multiaddr(`/ip4/${host}/tcp/1`);
    const connection = { direction: "inbound", remotePeer: peer, remoteAddr };
    const isDenied = gater.denyInboundEncryptedConnection?.(peer as never, connection as never);
    if (isDenied !== true) inside.push(connection as never);
    return isDenied !== true;
  };
  return { knock, ban };
}

test("one host gets a few places, all strangers together many, and validators always one", () => {
  const { knock } = door();
  const flood = Array.from({ length: 100 }, (_, i) => knock(`x${i}`, "66.6.6.6"));
  expect(flood.filter(Boolean).length).toBe(strangersPerHostMax);
  const many = Array.from({ length: 500 }, (_, i) => knock(`y${i}`, `66.7.${i >> 8}.${i & 255}`));
  expect(many.filter(Boolean).length).toBe(strangersMax - strangersPerHostMax);
  expect(knock("stranger", "20.1.1.1")).toBe(false);
  expect(knock("validator 1", "66.6.6.6")).toBe(true);
});

test("on one machine a host is no bound, and a closed port counts nobody", () => {
  const { knock } = door({ oneMachine: true });
  expect(Array.from({ length: 100 }, (_, i) => knock(`x${i}`, "127.0.0.1"))).not.toContain(false);
  const closed = door({ allow: new Set(["a"]) });
  expect([closed.knock("a", "66.6.6.6"), closed.knock("validator 1", "66.6.6.6")]).toEqual([
    true,
    false,
  ]);
});

test("who is banned is refused, preferred or not, until it is over", () => {
  const { knock, ban } = door();
  ban("validator 1", 60_000);
  ban("x", -1);
  expect([knock("validator 1", "1.1.1.1"), knock("x", "1.1.1.1")]).toEqual([false, true]);
});
