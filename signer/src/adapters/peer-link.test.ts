// The ring's network over real connections on this machine: who is heard changes while it runs.
import { healthState } from "@causeway/chain-core/foreign";
import type { Genesis } from "@causeway/chain-core/interchain";
import { sha256, utf8 } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { startLog } from "@causeway/primitives/adapters/log";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { afterAll, expect, test, vi } from "vitest";
import type { Event } from "../machine.ts";
import { genesis } from "../testing.ts";
import type { SignerConfig } from "./config.ts";
import type { PeerLink } from "./peer-link.ts";
import { peerLink } from "./peer-link.ts";

const log = startLog("signer", "silent");
const links: PeerLink[] = [];
afterAll(() => Promise.all(links.map(({ p2p }) => p2p.close())));

const secretOf = (name: string): Uint8Array => sha256(utf8(name));
const peerOf = (name: string, number: number) => ({
  number,
  peerKey: publicPoint(secretOf(name)),
});

async function linkOf(name: string, peers: readonly string[]) {
  const heard: string[] = [];
  const config = { listenHost: "127.0.0.1", p2pPort: 0, peers, oneMachine: true } as const;
  const emit = (event: Event): void => {
    if (event.kind === "message") heard.push(`${event.from}:${event.bytes[0]}`);
  };
  const link = await peerLink(
    config as unknown as SignerConfig,
    genesis as Genesis,
    secretOf(name),
    emit,
    healthState(systemClock),
    log,
  );
  links.push(link);
  return { link, heard };
}

test("a signer hears whom the register names, wherever it comes from, and nobody any more who left it", async () => {
  const first = await linkOf("first", []);
  const late = await linkOf("late", [first.link.p2p.address]);
  late.link.allow([peerOf("first", 0)]);
  // Not named yet: its connection is refused.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(first.link.p2p.peers()).toEqual([]);
  first.link.allow([peerOf("late", 7)]);
  const until = { timeout: 15_000, interval: 50 };
  await vi.waitFor(() => expect(first.link.p2p.peers().length).toBe(1), until);
  await vi.waitFor(() => {
    late.link.send(0, Uint8Array.of(1));
    expect(first.heard).toContain("7:1");
  }, until);
  // Another number and back: the same identity.
  first.link.send(7, Uint8Array.of(2));
  await vi.waitFor(() => expect(late.heard).toContain("0:2"), until);
  first.link.allow([peerOf("another", 7)]);
  await vi.waitFor(() => expect(first.link.p2p.peers()).toEqual([]), until);
  first.heard.length = 0;
  late.link.send(0, Uint8Array.of(3));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(first.heard).toEqual([]);
}, 60_000);
