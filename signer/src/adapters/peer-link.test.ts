// The ring's network over real connections on this machine: who is heard changes while it runs, signers that know one of
// them find each other, and nobody is led astray.
import type { Server } from "node:net";
import { createServer } from "node:net";
import { healthState } from "@causeway/chain-core/foreign";
import type { Genesis } from "@causeway/chain-core/interchain";
import type { Log } from "@causeway/primitives";
import { isRejected, sha256, utf8 } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { startLog } from "@causeway/primitives/adapters/log";
import {
  peerIdOfKey,
  placeOf,
  readRecord,
  sealRecord,
  startP2p,
} from "@causeway/primitives/adapters/p2p";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { afterEach, expect, test, vi } from "vitest";
import type { Event } from "../machine.ts";
import { genesis } from "../testing.ts";
import type { SignerConfig } from "./config.ts";
import type { AddressMessage } from "./peer-exchange.ts";
import { addressMessageCodec } from "./peer-exchange.ts";
import { peerLink } from "./peer-link.ts";

const log: Log = startLog("signer", "silent");
const running = new Set<{ readonly close: () => Promise<void> }>();
afterEach(async () => {
  await Promise.all([...running].map((one) => one.close()));
  running.clear();
});

const secretOf = (name: string): Uint8Array => sha256(utf8(name));
const keyOf = (name: string): Uint8Array => publicPoint(secretOf(name));
const idOf = (name: string): string => peerIdOfKey(keyOf(name));
const peerOf = (name: string, number: number) => ({ number, peerKey: keyOf(name) });
const until = { timeout: 20_000, interval: 50 };
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function linkOf(name: string, more: Partial<SignerConfig> = {}) {
  const heard: string[] = [];
  const config = { listenHost: "127.0.0.1", p2pPort: 0, peers: [], announce: [], ...more };
  const emit = (event: Event): void => {
    if (event.kind === "message") heard.push(`${event.from}:${event.bytes[0]}`);
  };
  const link = await peerLink(
    { oneMachine: true, ...config } as unknown as SignerConfig,
    genesis as Genesis,
    secretOf(name),
    emit,
    healthState(systemClock),
    log,
  );
  running.add(link);
  const stop = async (): Promise<void> => {
    running.delete(link);
    await link.close();
  };
  return { ...link, heard, stop };
}

/** A host of the roster that says whatever a test wants. */
async function rawOf(name: string, to: string) {
  const told: AddressMessage[] = [];
  const p2p = await startP2p({
    secret: secretOf(name),
    networkId: genesis.networkId,
    listen: { host: "127.0.0.1", port: 0 },
    peers: [to],
    protocols: [
      {
        name: "addresses",
        maxBytes: 1_000_000,
        onMessage: (_, bytes) => {
          const message = addressMessageCodec.parse(bytes);
          if (isRejected(message)) return;
          const { wanted, records } = message;
          told.push({ wanted, records: records.map((one) => Uint8Array.from(one)) });
        },
      },
    ],
    topics: {},
    oneMachine: true,
    log,
  });
  running.add(p2p);
  await vi.waitFor(() => expect(p2p.peers().length).toBe(1), until);
  const [peer] = p2p.peers();
  const send = (bytes: Uint8Array): void => {
    p2p.send(peer ?? "", "addresses", bytes);
  };
  const tell = (...records: Uint8Array[]): void =>
    send(addressMessageCodec.encode({ wanted: [], records }));
  return { p2p, told, send, tell };
}

/** A port of this machine that counts who dials it. */
async function trap() {
  let dials = 0;
  const server: Server = createServer((socket) => {
    dials += 1;
    socket.on("error", () => undefined);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.add({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  const { port } = server.address() as { port: number };
  const text = `/ip4/127.0.0.1/tcp/${port}`;
  return { text, place: placeAt(text), dials: () => dials };
}

function placeAt(text: string) {
  const place = placeOf(text);
  if (isRejected(place)) throw new Error(place.message);
  return place;
}

test("a signer hears whom the register names, wherever it comes from, and nobody any more who left it", async () => {
  const first = await linkOf("first");
  const late = await linkOf("late", { peers: [first.address] });
  late.allow([peerOf("first", 0)]);
  // Not named yet: its connection is refused.
  await wait(500);
  expect(first.reach().connected).toEqual([]);
  first.allow([peerOf("late", 7)]);
  await vi.waitFor(() => expect(first.reach().connected).toEqual([7]), until);
  await vi.waitFor(() => {
    late.send(0, Uint8Array.of(1));
    expect(first.heard).toContain("7:1");
  }, until);
  // Another number and back: the same identity.
  first.send(7, Uint8Array.of(2));
  await vi.waitFor(() => expect(late.heard).toContain("0:2"), until);
  first.allow([peerOf("another", 7)]);
  await vi.waitFor(() => expect(late.reach().connected).toEqual([]), until);
  first.heard.length = 0;
  late.send(0, Uint8Array.of(3));
  await wait(300);
  expect(first.heard).toEqual([]);
}, 60_000);

test("signers that know one of them find all others, also one that moved and one that became a peer late", async () => {
  const one = await linkOf("one");
  const roster = ["one", "two", "three"].map(peerOf);
  const others = (number: number) => roster.filter((peer) => peer.number !== number);
  const two = await linkOf("two", { peers: [one.address] });
  const three = await linkOf("three", { peers: [one.address] });
  one.allow(others(0));
  // Known to one, not to each other yet: what is told of strangers is not kept.
  two.allow(others(1).slice(0, 1));
  three.allow(others(2).slice(0, 1));
  await vi.waitFor(() => expect(one.reach().connected).toEqual([1, 2]), until);
  await wait(2_500);
  expect([two.reach().connected, three.reach().connected]).toEqual([[0], [0]]);
  two.allow(others(1));
  three.allow(others(2));
  await vi.waitFor(() => expect(two.reach().connected).toEqual([0, 2]), until);
  await vi.waitFor(() => {
    two.send(2, Uint8Array.of(5));
    expect(three.heard).toContain("1:5");
  }, until);
  await three.stop();
  await vi.waitFor(
    () => expect(two.reach().away.map(({ validator }) => validator)).toEqual([2]),
    until,
  );
  const moved = await linkOf("three", { peers: [one.address] });
  moved.allow(others(2));
  await vi.waitFor(() => expect(two.reach().connected).toEqual([0, 2]), until);
  // And by what it says of itself now, not only because it called.
  await moved.stop();
  await vi.waitFor(
    () =>
      expect(two.reach().away).toEqual([
        { validator: 2, addresses: [moved.address.replace(/\/p2p\/.*/, "")] },
      ]),
    until,
  );
}, 90_000);

test("the newest address that a signer signed is dialled, whoever tells it, and never an older one", async () => {
  const link = await linkOf("link");
  link.allow([peerOf("teller", 1), peerOf("away", 2)]);
  const teller = await rawOf("teller", link.address);
  const [old, moved] = [await trap(), await trap()];
  const record = (to: typeof old, sequence: number) =>
    sealRecord(secretOf("away"), [to.place], sequence);
  teller.tell(await record(old, 10));
  await vi.waitFor(() => expect(old.dials()).toBeGreaterThan(0), until);
  teller.tell(await record(moved, 20));
  await vi.waitFor(() => expect(moved.dials()).toBeGreaterThan(0), until);
  const before = old.dials();
  teller.tell(await record(old, 15), await record(old, 20));
  await wait(1_500);
  expect(link.reach().away).toEqual([{ validator: 2, addresses: [moved.text] }]);
  expect(old.dials()).toBe(before);
  // A peer that cannot be reached is dialled less and less often.
  expect(moved.dials()).toBeLessThan(12);
  expect(link.reach().connected).toEqual([1]);
}, 60_000);

test("forged, damaged and oversized records make nobody dial, and cost the teller its connection", async () => {
  const link = await linkOf("link");
  const { place, dials } = await trap();
  const good = await sealRecord(secretOf("away"), [place], 10);
  const bad: Record<string, Uint8Array[]> = {
    flipped: [good.map((byte, i) => (i === good.length - 1 ? byte ^ 1 : byte))],
    // The signature of another.
    swapped: [
      Uint8Array.from([
        ...good.slice(0, -70),
        ...(await sealRecord(secretOf("swapped"), [place], 10)).slice(-70),
      ]),
    ],
    rubbish: [new Uint8Array(300).fill(7)],
  };
  for (const [name, records] of Object.entries(bad)) {
    link.allow([peerOf(name, 1), peerOf("away", 2)]);
    const liar = await rawOf(name, link.address);
    liar.tell(...records);
    await vi.waitFor(() => expect([name, link.reach().connected]).toEqual([name, []]), until);
    await liar.p2p.close();
  }
  link.allow([peerOf("endless", 1), peerOf("long", 3), peerOf("away", 2)]);
  // More than any message: not read at all. One record too long: no message.
  const endless = await rawOf("endless", link.address);
  endless.send(new Uint8Array(addressMessageCodec.sizeMax + 1));
  const long = await rawOf("long", link.address);
  const whole = addressMessageCodec.encode({ wanted: [], records: [new Uint8Array(512)] });
  long.send(Uint8Array.from([...whole, 0]));
  await vi.waitFor(() => expect(link.reach().connected).toEqual([1]), until);
  expect(link.reach().away.flatMap(({ addresses }) => addresses)).toEqual([]);
  expect(dials()).toBe(0);
  endless.tell(good);
  await vi.waitFor(() => expect(dials()).toBeGreaterThan(0), until);
}, 90_000);

test("addresses of strangers to the roster are neither kept, dialled nor told on, and answers are few", async () => {
  const link = await linkOf("link");
  link.allow([peerOf("teller", 1), peerOf("asker", 2), peerOf("away", 3)]);
  const teller = await rawOf("teller", link.address);
  const asker = await rawOf("asker", link.address);
  const { place, dials } = await trap();
  const told = await sealRecord(secretOf("away"), [placeAt("/ip4/127.0.0.1/tcp/9")], 10);
  teller.tell(await sealRecord(secretOf("stranger"), [place], 10), told);
  await vi.waitFor(() => expect(link.reach().away[0]?.addresses).toHaveLength(1), until);
  const wanted = ["stranger", "away"].map((name) => ({ key: keyOf(name), sequence: 0 }));
  const answers = () => asker.told.filter((one) => one.wanted.length === 0);
  for (let i = 0; i < 200; i++) asker.send(addressMessageCodec.encode({ wanted, records: [] }));
  await wait(1_500);
  expect(answers().length).toBeGreaterThan(0);
  expect(answers().length).toBeLessThan(20);
  for (const { records } of answers()) expect(records).toEqual([told]);
  expect(dials()).toBe(0);
  expect(link.reach().connected).toEqual([1, 2]);
}, 60_000);

test("private addresses are told and believed where they are configured, and nowhere else", async () => {
  const listen = { oneMachine: false };
  const { place, text, dials } = await trap();
  const record = await sealRecord(secretOf("away"), [place], 10);
  const cases = [
    { name: "shut", announce: [], announced: [], dialled: [] },
    {
      name: "public",
      announce: ["/ip4/9.9.9.9/tcp/7"],
      announced: ["/ip4/9.9.9.9/tcp/7"],
      dialled: [],
    },
    {
      name: "vpn",
      announce: ["/ip4/10.1.2.3/tcp/7"],
      announced: ["/ip4/10.1.2.3/tcp/7"],
      dialled: [text],
    },
  ];
  for (const { name, announce, announced, dialled } of cases) {
    const link = await linkOf(name, { ...listen, announce });
    link.allow([peerOf("teller", 1), peerOf("away", 2)]);
    const teller = await rawOf("teller", link.address);
    teller.tell(record);
    await vi.waitFor(() => expect(teller.told.length).toBeGreaterThan(0), until);
    const places = teller.told.flatMap(({ records }) =>
      records.flatMap((bytes) => {
        const one = readRecord(bytes);
        return isRejected(one) || one.peer !== idOf(name) ? [] : one.places;
      }),
    );
    expect(link.reach().announced).toEqual(announced);
    expect(places).toEqual(announced.map(placeAt));
    if (dialled.length > 0) await vi.waitFor(() => expect(dials()).toBeGreaterThan(0), until);
    else await wait(500);
    expect([name, link.reach().away]).toEqual([name, [{ validator: 2, addresses: dialled }]]);
    if (dialled.length === 0) expect(dials()).toBe(0);
    await teller.p2p.close();
    await link.stop();
  }
  await expect(linkOf("wrong", { announce: ["/ip4/300.1.1.1/tcp/7"] })).rejects.toMatchObject({
    code: "bad-address",
  });
}, 60_000);
