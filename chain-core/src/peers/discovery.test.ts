// Machines that find each other over a network of which every connection and message is a line here.
import type { NetworkId } from "@causeway/primitives";
import { bigEndian, must, seeded, sha256 } from "@causeway/primitives";
import { describe, expect, it } from "vitest";
import type { Address, PeerKey } from "./address.ts";
import { encodeAddress } from "./address.ts";
import type { Discovery, DiscoveryEffect, DiscoveryEvent, Happening } from "./discovery.ts";
import { askMs, bookOf, discovery, outboundTarget, step, tellMs } from "./discovery.ts";
import { addressOf, hostOf, keyOf } from "./testing.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const start = 1_000_000;
const machine = (i: number, stored?: Uint8Array): Discovery =>
  discovery({ network, self: keyOf(i), oneMachine: false, seed: i }, stored, start).state;

type Kinds = Partial<Record<DiscoveryEffect["kind"], number>>;

/** Nodes 0 to `size` - 1; node 0 is the bootstrap, to which every other is connected from the beginning. */
function net(size: number, live: (i: number) => boolean = () => true) {
  const random = seeded(7);
  const nodes = new Map<PeerKey, Discovery>();
  const hosts = new Map<PeerKey, Uint8Array>();
  const counts: Kinds = {};
  const queue: { at: number; order: number; run: () => void }[] = [];
  const wakes = new Map<PeerKey, number>();
  let now = start;
  let order = 0;
  const later = (run: () => void): void => {
    queue.push({ at: now + 10 + random.below(100), order: order++, run });
  };
  const happen = (key: PeerKey, event: Happening): void => {
    const state = nodes.get(key);
    if (state === undefined) return;
    for (const effect of step(state, { ...event, at: now })[1]) perform(key, effect);
  };
  const connect = (from: PeerKey, to: PeerKey): void => {
    const ends = [
      [from, to, true],
      [to, from, false],
    ] as const;
    for (const [key, peer, isOutbound] of ends)
      happen(key, { kind: "connected", peer, isOutbound, host: must(hosts.get(peer), "host") });
  };
  const perform = (key: PeerKey, effect: DiscoveryEffect): void => {
    counts[effect.kind] = (counts[effect.kind] ?? 0) + 1;
    if (effect.kind === "wake") wakes.set(key, effect.at);
    if (effect.kind === "ask")
      later(() => happen(effect.peer, { kind: "asked", peer: key, port: 18_500 }));
    if (effect.kind === "tell") {
      const { addresses } = effect;
      later(() => happen(effect.peer, { kind: "told", peer: key, addresses }));
    }
    if (effect.kind === "dial") {
      const to = effect.address.key;
      later(() => {
        const isReached = nodes.has(to);
        if (isReached && !nodes.get(key)?.peers.has(to)) connect(key, to);
        happen(key, { kind: "dialled", peer: to, isReached });
      });
    }
  };
  for (let i = 0; i < size; i++) {
    const { key, host } = addressOf(i);
    hosts.set(key, host);
    if (live(i)) nodes.set(key, machine(i));
  }
  for (const key of [...nodes.keys()].slice(1)) connect(key, keyOf(0));
  const run = (ms: number): void => {
    for (const end = now + ms; now < end; ) {
      queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const woken = [...wakes].find(([, at]) => at <= now);
      if (woken !== undefined) {
        wakes.delete(woken[0]);
        happen(woken[0], { kind: "woke" });
      } else if (queue[0] !== undefined && queue[0].at <= now) queue.shift()?.run();
      else now = Math.min(end, queue[0]?.at ?? end, ...wakes.values());
    }
  };
  const outbound = (state: Discovery): number =>
    [...state.peers.values()].filter(({ isOutbound }) => isOutbound).length;
  return { nodes, counts, run, happen, outbound, now: () => now };
}

describe("discovery", () => {
  it("leads from one address to enough peers for everybody, and rests then", () => {
    const w = net(60);
    w.run(60_000);
    for (const [key, state] of w.nodes) {
      // All are connected to the bootstrap by themselves.
      if (key !== keyOf(0)) expect(w.outbound(state)).toBe(outboundTarget);
      expect(state.peers.has(key)).toBe(false);
      expect(state.book.entries.has(key)).toBe(false);
    }
    const before = { ...w.counts };
    w.run(60_000);
    expect(w.counts.dial).toBe(before.dial);
    expect((w.counts.ask ?? 0) - (before.ask ?? 0)).toBeLessThan(60);
  });

  it("finds all of a small network, and validators find all validators of a large one", () => {
    const small = net(8);
    small.run(60_000);
    for (const state of small.nodes.values()) expect(state.peers.size).toBe(7);
    const large = net(80);
    const keys = Array.from({ length: 30 }, (_, i) => keyOf(i));
    for (const key of large.nodes.keys()) large.happen(key, { kind: "validators", keys });
    large.run(300_000);
    for (const key of keys) {
      const { peers } = must(large.nodes.get(key), "validator");
      expect(keys.filter((one) => one !== key && !peers.has(one))).toEqual([]);
    }
  });

  it("does not wear itself out on who is not there", () => {
    const w = net(2);
    const state = must(w.nodes.get(keyOf(1)), "node");
    for (let i = 100; i < 140; i++) {
      const addresses = [encodeAddress(addressOf(i))];
      w.run(askMs);
      must(state.peers.get(keyOf(0)), "peer").isAnswerAwaited = true;
      w.happen(keyOf(1), { kind: "told", peer: keyOf(0), addresses });
    }
    expect(state.book.entries.size).toBeGreaterThan(10);
    const before = w.counts.dial ?? 0;
    w.run(600_000);
    expect((w.counts.dial ?? 0) - before).toBeLessThan(40 * 6);
    w.run(3_600_000);
    expect(state.book.entries.size).toBe(0);
  });
});

/** One machine among peers that we play: what it orders. */
function alone(oneMachine = false) {
  const { state } = discovery({ network, self: keyOf(0), oneMachine, seed: 1 }, undefined, start);
  const happen = (event: DiscoveryEvent): readonly DiscoveryEffect[] => step(state, event)[1];
  const connect = (address: Address, isOutbound: boolean, at: number): readonly DiscoveryEffect[] =>
    happen({ kind: "connected", at, peer: address.key, isOutbound, host: address.host });
  const dials = (effects: readonly DiscoveryEffect[]): Address[] =>
    effects.flatMap((effect) => (effect.kind === "dial" ? [effect.address] : []));
  return { state, happen, connect, dials };
}

describe("a node among peers that lie", () => {
  it("hears only whom it asked, once, and asks only whom it dialled", () => {
    const { state, happen, connect } = alone();
    const addresses = [encodeAddress(addressOf(9))];
    expect(connect(addressOf(1), false, start).map(({ kind }) => kind)).toEqual(["wake"]);
    happen({ kind: "told", at: start, peer: keyOf(1), addresses });
    expect(state.book.entries.size).toBe(0);
    expect(connect(addressOf(2), true, start)).toContainEqual({ kind: "ask", peer: keyOf(2) });
    happen({ kind: "told", at: start, peer: keyOf(2), addresses });
    happen({ kind: "told", at: start, peer: keyOf(2), addresses: [encodeAddress(addressOf(10))] });
    expect([...state.book.entries.keys()]).toEqual([keyOf(9)]);
  });

  it("bans who tells what is no address", () => {
    const { happen, connect } = alone();
    connect(addressOf(2), true, start);
    const addresses = [new Uint8Array(51)];
    const effects = happen({ kind: "told", at: start, peer: keyOf(2), addresses });
    expect(effects).toContainEqual(expect.objectContaining({ kind: "ban", peer: keyOf(2) }));
  });

  it("learns of an inbound peer the host that it sees, and answers it now and then", () => {
    const { state, happen, connect } = alone();
    connect(addressOf(3), false, start);
    const ask = (at: number): number =>
      happen({ kind: "asked", at, peer: keyOf(3), port: 4_000 }).filter(
        ({ kind }) => kind === "tell",
      ).length;
    expect([ask(start), ask(start + 1), ask(start + tellMs)]).toEqual([1, 0, 1]);
    expect(state.book.entries.get(keyOf(3))?.address).toEqual({ ...addressOf(3), port: 4_000 });
    expect(happen({ kind: "asked", at: start, peer: keyOf(99), port: 1 }).length).toBe(1);
  });

  it("makes no more than two connections into one range of hosts, however many are there", () => {
    const { happen, connect, dials } = alone();
    // The attacker's range, and 40 honest ones.
    const range = Array.from({ length: 30 }, (_, i) => addressOf(100 + i, hostOf(66, 66, i, 1)));
    const all = [...range, ...Array.from({ length: 30 }, (_, i) => addressOf(200 + i))];
    connect(addressOf(1), true, start);
    let open = dials(
      happen({ kind: "told", at: start, peer: keyOf(1), addresses: all.map(encodeAddress) }),
    );
    const made: Address[] = [];
    for (let i = 0; i < 100 && open.length > 0; i++) {
      const [address, ...rest] = open;
      const { key } = must(address, "dial");
      made.push(must(address, "dial"));
      connect(must(address, "dial"), true, start + i);
      open = [
        ...rest,
        ...dials(happen({ kind: "dialled", at: start + i, peer: key, isReached: true })),
      ];
      expect(open.length).toBeLessThanOrEqual(4);
    }
    expect(made.length).toBe(outboundTarget - 1);
    expect(made.filter(({ host }) => host[12] === 66).length).toBeLessThanOrEqual(2);
  });

  it("forgets whom it banned, and keeps its pace when the clock goes back", () => {
    const { state, happen, connect } = alone();
    connect(addressOf(1), true, start);
    happen({ kind: "told", at: start, peer: keyOf(1), addresses: [encodeAddress(addressOf(2))] });
    happen({ kind: "banned", at: start, peer: keyOf(2) });
    expect(state.book.entries.size).toBe(0);
    const back = start - 500_000;
    expect(happen({ kind: "woke", at: back }).some(({ kind }) => kind === "ask")).toBe(false);
    expect(happen({ kind: "woke", at: back + askMs })).toContainEqual({
      kind: "ask",
      peer: keyOf(1),
    });
  });

  it("saves what it learned, and begins with it the next time", () => {
    const { state, happen, connect } = alone();
    connect(addressOf(1), true, start);
    const addresses = Array.from({ length: 5 }, (_, i) => encodeAddress(addressOf(10 + i)));
    happen({ kind: "told", at: start, peer: keyOf(1), addresses });
    const saved = happen({ kind: "woke", at: start + 60_000 }).find(({ kind }) => kind === "save");
    expect(saved).toMatchObject({ bytes: bookOf(state) });
    const again = machine(0, bookOf(state));
    expect(again.book.entries.size).toBe(5);
    expect(
      step(again, { kind: "woke", at: start })[1].filter(({ kind }) => kind === "dial").length,
    ).toBe(4);
    const damaged = discovery(state.config, sha256(bigEndian(1, 4)), start);
    expect(damaged.bad).toMatchObject({ code: "bad-book" });
    expect(damaged.state.book.entries.size).toBe(0);
  });
});
