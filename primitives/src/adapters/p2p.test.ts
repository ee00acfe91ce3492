// Real libp2p nodes in one process: streams that last and come back, bounds, the closed port, gossip.
import { createServer } from "node:net";
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { afterEach, expect, test, vi } from "vitest";
import { utf8 } from "../bytes.ts";
import type { Log } from "../ports.ts";
import { publicPoint } from "../secp256k1.ts";
import type { P2p, P2pOptions } from "./p2p.ts";
import { peerIdOfKey, protocolName, startP2p } from "./p2p.ts";

const networkId = new Uint8Array(32).fill(0xab);
const secret = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1);
const idOf = (i: number): string => peerIdOfKey(publicPoint(secret(i)));
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

type Got = { from: string; message: string };
const running: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

async function start(i: number, more: Partial<P2pOptions> = {}): Promise<P2p & { got: Got[] }> {
  const got: Got[] = [];
  const heard = (from: string, message: Uint8Array): void => {
    got.push({ from, message: Buffer.from(message).toString() });
  };
  const p2p = await startP2p({
    secret: secret(i),
    networkId,
    listen: { host: "127.0.0.1", port: 0 },
    peers: [],
    protocols: [{ name: "consensus", maxBytes: 100_000, onMessage: heard }],
    topics: {},
    oneMachine: true,
    log: silent,
    ...more,
  });
  running.push(p2p);
  return { ...p2p, got };
}

const eventually = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 8_000, interval: 10 });

test("the peer id of a key is the one that its node has", async () => {
  expect((await start(0)).peerId).toBe(idOf(0));
});

test("messages of one peer arrive in order, in both directions, also large ones", async () => {
  const a = await start(0);
  const b = await start(1, { peers: [a.address] });
  await eventually(() => expect([a.peers(), b.peers()]).toEqual([[idOf(1)], [idOf(0)]]));
  const large = "x".repeat(100_000);
  for (let i = 0; i < 50; i++) expect(b.send(a.peerId, "consensus", utf8(`${i}`))).toBe(true);
  b.send(a.peerId, "consensus", utf8(large));
  expect(a.broadcast("consensus", utf8("back"))).toBe(1);
  await eventually(() => expect(a.got.length).toBe(51));
  expect(a.got.map(({ message }) => message)).toEqual(
    [...Array(50).keys()].map(String).concat(large),
  );
  expect(a.got.every(({ from }) => from === b.peerId)).toBe(true);
  await eventually(() => expect(b.got).toEqual([{ from: a.peerId, message: "back" }]));
});

test("a peer that went away and came back at its address is connected again", async () => {
  const a = await start(0);
  const events: string[] = [];
  const b = await start(1, {
    peers: [a.address],
    onConnect: () => events.push("up"),
    onDisconnect: () => events.push("down"),
  });
  await eventually(() => expect(events).toEqual(["up"]));
  b.send(a.peerId, "consensus", utf8("before"));
  await eventually(() => expect(a.got.length).toBe(1));
  await a.close();
  await eventually(() => expect(events).toEqual(["up", "down"]));
  expect(b.send(a.peerId, "consensus", utf8("lost"))).toBe(false);
  const again = await start(0, { listen: { host: "127.0.0.1", port: a.port } });
  await eventually(() => expect(events).toEqual(["up", "down", "up"]));
  b.send(a.peerId, "consensus", utf8("after"));
  await eventually(() => expect(again.got.map(({ message }) => message)).toEqual(["after"]));
});

test("a closed port lets in only the keys that it knows", async () => {
  const a = await start(0, { allow: new Set([idOf(1)]) });
  const friend = await start(1, { peers: [a.address] });
  const stranger = await start(2, { peers: [a.address] });
  await eventually(() => expect(friend.peers()).toEqual([a.peerId]));
  stranger.send(a.peerId, "consensus", utf8("hello"));
  await eventually(() => expect(a.peers()).toEqual([friend.peerId]));
  friend.send(a.peerId, "consensus", utf8("hello"));
  await eventually(() => expect(a.got.map(({ from }) => from)).toEqual([friend.peerId]));
});

test("a banned peer is hung up on and stays away until its time is over", async () => {
  const a = await start(0);
  const b = await start(1, { peers: [a.address] });
  await eventually(() => expect(a.peers()).toEqual([b.peerId]));
  a.ban(b.peerId, 1_000);
  await eventually(() => expect(a.peers()).toEqual([]));
  const bannedAt = performance.now();
  await eventually(() => expect(a.peers()).toEqual([b.peerId]));
  expect(performance.now() - bannedAt).toBeGreaterThan(800);
});

test("gossip reaches peers of peers once, and only what is accepted travels on", async () => {
  const seen: string[][] = [[], [], []];
  const topics = (i: number): P2pOptions["topics"] => ({
    transactions: {
      maxBytes: 1_000,
      onMessage: (_, message) => {
        const text = Buffer.from(message).toString();
        seen[i]?.push(text);
        return text.startsWith("good") ? "accept" : "ignore";
      },
    },
  });
  const a = await start(0, { topics: topics(0) });
  a.publish("transactions", utf8("good: said before anybody listened"));
  const b = await start(1, { topics: topics(1), peers: [a.address] });
  const c = await start(2, { topics: topics(2), peers: [b.address] });
  await eventually(() => expect(seen[1]).toEqual(["good: said before anybody listened"]));
  await eventually(() => expect([b.peers().length, c.peers().length]).toEqual([2, 1]));
  let rounds = 0;
  await eventually(() => {
    rounds += 1;
    a.publish("transactions", utf8(`bad ${rounds}`));
    a.publish("transactions", utf8(`good ${rounds}`));
    expect(seen[1]).toContain("bad 1");
    expect(seen[2]).toContain(`good ${rounds - 1}`);
  });
  expect(seen[2]?.filter((text) => text.startsWith("bad"))).toEqual([]);
  for (const texts of seen) expect(new Set(texts).size).toBe(texts.length);
});

test("a stranger's oversized or random frames end its stream, never the node", async () => {
  const a = await start(0);
  const stranger = await createLibp2p({
    privateKey: privateKeyFromRaw(secret(9)),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
  running.push({ close: () => Promise.resolve(stranger.stop()) });
  const connection = await stranger.dial(multiaddr(a.address));
  const name = protocolName(networkId, "consensus");
  for (const frame of [
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    new Uint8Array(300).fill(0xff),
    Uint8Array.of(0, 1, 0x86, 0xa1, 1, 2, 3), // 100,001 bytes announced
  ]) {
    const stream = await connection.newStream(name);
    stream.send(frame);
    await eventually(() => expect(stream.status).not.toBe("open"));
  }
  expect(a.got).toEqual([]);
  const good = await connection.newStream(name);
  good.send(Uint8Array.of(0, 0, 0, 10, ...utf8("still here")));
  await eventually(() => expect(a.got.map(({ message }) => message)).toEqual(["still here"]));
});

test("a port in use and a peer without an id are clear errors", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  await expect(start(0, { listen: { host: "127.0.0.1", port } })).rejects.toMatchObject({
    code: "port-in-use",
  });
  taken.close();
  await expect(start(0, { peers: ["/ip4/127.0.0.1/tcp/1"] })).rejects.toMatchObject({
    code: "bad-address",
  });
});
