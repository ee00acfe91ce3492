// A simulated node: the machine, its disk, its clock and its wires. On a Byzantine seat the same machine runs on, so that
// the seat knows what an honest one would do, but what it says goes through its adversary.
import { keyOf } from "@causeway/primitives";
import { blockCodec, certificateCodec } from "../../chain-core/src/codec/block.ts";
import { emptyTree, update } from "../../chain-core/src/ledger/tree.ts";
import * as machine from "../../chain-core/src/node/machine.ts";
import { after } from "../sim/queue.ts";
import { note } from "../sim/trace.ts";
import { hear, say } from "./adversary.ts";
import { checkEvidence, checkFinal, checkJournal, checkSaid } from "./checks.ts";
import { describe } from "./describe.ts";
import type { Peer, World } from "./model.ts";
import { clockOf, heightOf, isHonest, violated } from "./model.ts";
import { isolateDecider, transmit } from "./network.ts";

export type Ports = { readonly world: World; readonly ledger: machine.LedgerPort };

/** Starts with what is on the disk, as the composition does. */
export function start(ports: Ports, peer: Peer): void {
  const { world, ledger } = ports;
  const { disk } = peer;
  peer.boot += 1;
  const context: machine.Context = {
    genesis: world.genesis,
    bls: world.bls,
    ledger,
    store: disk.store,
    blocks: (height) => disk.blocks[height - 1],
    secretKey: peer.secret,
  };
  const stored: machine.Stored = {
    tree: update(emptyTree, disk.store.entries()),
    journal: [...disk.journal],
    ...(disk.tip && { tip: disk.tip }),
    ...(disk.root && { root: disk.root }),
  };
  note(world.trace, world.queue.now, `${peer.name} starts at ${heightOf(peer)}`);
  try {
    const [state, effects] = machine.initial(context, stored, clockOf(world, peer));
    peer.state = state;
    perform(ports, peer, effects);
  } catch (error) {
    threw(peer, "start", error);
  }
  for (const other of world.peers) {
    if (other === peer || other.state === undefined) continue;
    deliver(ports, peer, { kind: "connected", at: clockOf(world, peer), peer: other.name });
    deliver(ports, other, { kind: "connected", at: clockOf(world, other), peer: peer.name });
  }
}

function threw(peer: Peer, at: string, error: unknown): never {
  if (error instanceof Error && error.name === "Violation") throw error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return violated("nothing throws", `${peer.name} at ${at}: ${text}`);
}

/** Everything but the disk is gone. */
export function crash(ports: Ports, peer: Peer): void {
  const { world } = ports;
  const random = world.random.crash;
  checkEvidence(world, peer);
  note(world.trace, world.queue.now, `${peer.name} crashes at ${heightOf(peer)}`);
  world.counts.crash += 1;
  peer.state = undefined;
  for (const other of world.peers)
    if (other !== peer)
      deliver(ports, other, { kind: "disconnected", at: clockOf(world, other), peer: peer.name });
  const downMs = random.chance(0.1) ? 8_000 : 100 + random.below(3_000);
  after(world.queue, downMs, "", () => {
    if (peer.state === undefined) start(ports, peer);
  });
}

export function deliver(ports: Ports, peer: Peer, event: machine.Event): void {
  if (peer.state === undefined) return;
  try {
    if (peer.adversary !== undefined && event.kind === "message")
      hear(peer.adversary, event.from, event.bytes);
    const [state, effects] = machine.step(peer.state, event);
    peer.state = state;
    perform(ports, peer, effects);
  } catch (error) {
    threw(peer, event.kind, error);
  }
}

/** Bytes from one node to another over the wires; `as`: the name under which they come. */
export function send(
  ports: Ports,
  from: Peer,
  to: Peer,
  bytes: Uint8Array,
  heldMs: number = 0,
  as: string = from.name,
): void {
  const { world } = ports;
  transmit(world, from, to, heldMs, () => {
    world.print?.(`${as} -> ${to.name} ${describe(bytes)}`);
    deliver(ports, to, { kind: "message", at: clockOf(world, to), from: as, bytes });
  });
}

function perform(ports: Ports, peer: Peer, effects: readonly machine.Effect[]): void {
  const { world } = ports;
  const { boot } = peer;
  for (const effect of effects) {
    // Between any two effects, in the midst of a step's.
    if (isHonest(peer) && !world.healed && world.plan.crash > 0)
      if (world.random.crash.chance(world.plan.crash)) {
        crash(ports, peer);
        return;
      }
    performOne(ports, peer, effect);
    if (peer.boot !== boot || peer.state === undefined) return;
  }
}

function performOne(ports: Ports, peer: Peer, effect: machine.Effect): void {
  const { world } = ports;
  switch (effect.kind) {
    case "send": {
      if (peer.adversary !== undefined) {
        say(peer.adversary, effect.to, effect.bytes);
        return;
      }
      checkSaid(world, peer, effect.bytes);
      for (const to of world.peers)
        if (to !== peer && (effect.to === undefined || effect.to === to.name))
          send(ports, peer, to, effect.bytes);
      return;
    }
    case "gossip":
      for (const to of world.peers)
        if (to !== peer)
          transmit(world, peer, to, 0, () =>
            deliver(ports, to, {
              kind: "gossip",
              at: clockOf(world, to),
              from: peer.name,
              topic: effect.topic,
              bytes: effect.bytes,
            }),
          );
      return;
    case "journal":
      if (effect.fresh) peer.disk.journal = [effect.record];
      else peer.disk.journal.push(effect.record);
      checkJournal(world, peer, effect.record);
      return;
    case "persist":
      persist(ports, peer, effect);
      return;
    case "wake":
      wake(ports, peer, effect.at);
      return;
    case "reply":
      return;
    case "ban":
      ban(world, peer, effect.peer, effect.reason);
      return;
    case "halt":
      violated("nothing halts", `${peer.name}: ${effect.reason.message}`);
  }
}

function persist(ports: Ports, peer: Peer, effect: machine.Effect & { kind: "persist" }): void {
  const { world } = ports;
  const { disk } = peer;
  const isFirst = !world.history.has(effect.height);
  if (isHonest(peer)) checkFinal(world, peer, effect);
  disk.store.write(effect.puts);
  disk.blocks.push({ block: effect.block, certificate: effect.certificate });
  disk.tip = {
    header: blockCodec.decode(effect.block).header,
    certificate: certificateCodec.decode(effect.certificate),
  };
  disk.root = effect.root;
  const what = `${peer.name} final ${effect.height} ${keyOf(effect.id).slice(0, 8)}`;
  note(world.trace, world.queue.now, what);
  if (isFirst && isHonest(peer)) isolateDecider(world, peer);
  checkEvidence(world, peer);
}

/** A timer measures durations: a clock that jumps does not move it. */
function wake(ports: Ports, peer: Peer, at: number): void {
  const { world } = ports;
  peer.wakes += 1;
  const { boot, wakes } = peer;
  after(world.queue, at - clockOf(world, peer), "", () => {
    if (peer.boot === boot && peer.wakes === wakes)
      deliver(ports, peer, { kind: "woke", at: clockOf(world, peer) });
  });
}

function ban(world: World, peer: Peer, name: string, reason: string): void {
  note(world.trace, world.queue.now, `${peer.name} bans ${name}: ${reason}`);
  const banned = world.peers.find((one) => one.name === name);
  if (isHonest(peer) && banned !== undefined && isHonest(banned))
    violated("no honest node is banned", `${peer.name} bans ${name}: ${reason}`);
}

/** A transaction from a user. */
export function submit(ports: Ports, peer: Peer, bytes: Uint8Array): void {
  const at = clockOf(ports.world, peer);
  deliver(ports, peer, { kind: "submit", at, ticket: 0, topic: "transactions", bytes });
}
