// A simulated node: the machine, its disk, its clock and its wires. On a Byzantine seat the same machine runs on, so that
// the seat knows what an honest one would do, but what it says goes through its adversary.
import { keyOf } from "@causeway/primitives";
import { blockCodec, certificateCodec } from "../../chain-core/src/codec/block.ts";
import { emptyTree, update } from "../../chain-core/src/ledger/tree.ts";
import * as machine from "../../chain-core/src/node/machine.ts";
import { after } from "../seeds/queue.ts";
import { note } from "../seeds/trace.ts";
import { threw, violated } from "../seeds/violation.ts";
import { hear, say } from "./adversary.ts";
import { checkEvidence, checkFinal, checkJournal, checkSaid } from "./checks.ts";
import { describe } from "./describe.ts";
import type { Peer, World } from "./model.ts";
import { clockOf, heightOf, isHonest } from "./model.ts";
import { isolateDecider, transmit } from "./network.ts";

/** Starts with what is on the disk, as the composition does. */
export function start(world: World, peer: Peer): void {
  const { disk } = peer;
  peer.boot += 1;
  const context: machine.Context = {
    genesis: world.chain.genesis,
    bls: world.bls,
    ledger: world.chain.port,
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
    perform(world, peer, effects);
  } catch (error) {
    threw(`${peer.name} at start`, error);
  }
  for (const other of world.peers) {
    if (other === peer || other.state === undefined) continue;
    deliver(world, peer, { kind: "connected", at: clockOf(world, peer), peer: other.name });
    deliver(world, other, { kind: "connected", at: clockOf(world, other), peer: peer.name });
  }
}

/** Everything but the disk is gone. */
export function crash(world: World, peer: Peer): void {
  const random = world.random.crash;
  checkEvidence(world, peer);
  note(world.trace, world.queue.now, `${peer.name} crashes at ${heightOf(peer)}`);
  world.counts.crash += 1;
  peer.state = undefined;
  for (const other of world.peers)
    if (other !== peer)
      deliver(world, other, { kind: "disconnected", at: clockOf(world, other), peer: peer.name });
  const downMs = random.chance(0.1) ? 8_000 : 100 + random.below(3_000);
  after(world.queue, downMs, "", () => {
    if (peer.state === undefined) start(world, peer);
  });
}

export function deliver(world: World, peer: Peer, event: machine.Event): void {
  if (peer.state === undefined) return;
  try {
    if (peer.adversary !== undefined && event.kind === "message")
      hear(peer.adversary, event.from, event.bytes);
    const [state, effects] = machine.step(peer.state, event);
    peer.state = state;
    perform(world, peer, effects);
  } catch (error) {
    threw(`${peer.name} at ${event.kind}`, error);
  }
}

/** Bytes from one node to another over the wires; `as`: the name under which they come. */
export function send(
  world: World,
  from: Peer,
  to: Peer,
  bytes: Uint8Array,
  heldMs: number = 0,
  as: string = from.name,
): void {
  transmit(world, from, to, heldMs, () => {
    world.print?.(`${as} -> ${to.name} ${describe(bytes)}`);
    deliver(world, to, { kind: "message", at: clockOf(world, to), from: as, bytes });
  });
}

function perform(world: World, peer: Peer, effects: readonly machine.Effect[]): void {
  const { boot } = peer;
  for (const effect of effects) {
    // Between any two effects, in the midst of a step's.
    if (isHonest(peer) && !world.healed && world.plan.crash > 0)
      if (world.random.crash.chance(world.plan.crash)) {
        crash(world, peer);
        return;
      }
    performOne(world, peer, effect);
    if (peer.boot !== boot || peer.state === undefined) return;
  }
}

function performOne(world: World, peer: Peer, effect: machine.Effect): void {
  switch (effect.kind) {
    case "send": {
      if (peer.adversary !== undefined) {
        say(peer.adversary, effect.to, effect.bytes);
        return;
      }
      checkSaid(world, peer, effect.bytes);
      for (const to of world.peers)
        if (to !== peer && (effect.to === undefined || effect.to === to.name))
          send(world, peer, to, effect.bytes);
      return;
    }
    case "gossip":
      for (const to of world.peers)
        if (to !== peer)
          transmit(world, peer, to, 0, () =>
            deliver(world, to, {
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
      persist(world, peer, effect);
      return;
    case "wake":
      wake(world, peer, effect.at);
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

function persist(world: World, peer: Peer, effect: machine.Effect & { kind: "persist" }): void {
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
function wake(world: World, peer: Peer, at: number): void {
  peer.wakes += 1;
  const { boot, wakes } = peer;
  after(world.queue, at - clockOf(world, peer), "", () => {
    if (peer.boot === boot && peer.wakes === wakes)
      deliver(world, peer, { kind: "woke", at: clockOf(world, peer) });
  });
}

function ban(world: World, peer: Peer, name: string, reason: string): void {
  note(world.trace, world.queue.now, `${peer.name} bans ${name}: ${reason}`);
  const banned = world.peers.find((one) => one.name === name);
  if (isHonest(peer) && banned !== undefined && isHonest(banned))
    violated("no honest node is banned", `${peer.name} bans ${name}: ${reason}`);
}

/** A transaction from a user. */
export function submit(world: World, peer: Peer, bytes: Uint8Array): void {
  const at = clockOf(world, peer);
  deliver(world, peer, { kind: "submit", at, ticket: 0, topic: "transactions", bytes });
}
