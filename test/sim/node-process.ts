// A validator's node: the machine, its disk, its wires, and the RPC that signer, relay and users of the operator call.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, keyOf, must } from "@causeway/primitives";
import type { Finality } from "../../chain-core/src/client.ts";
import {
  blockCodec,
  certificateCodec,
  committeeCodec,
  headerCodec,
} from "../../chain-core/src/codec/block.ts";
import { nextSequence } from "../../chain-core/src/ledger/envelope.ts";
import { committeeAt, epochOf } from "../../chain-core/src/ledger/epoch/epochs.ts";
import { pastEpochs } from "../../chain-core/src/ledger/staking/fixed.ts";
import type { StateReader } from "../../chain-core/src/ledger/state.ts";
import type { Tree } from "../../chain-core/src/ledger/tree.ts";
import { emptyTree, prove, recordProofCodec, update } from "../../chain-core/src/ledger/tree.ts";
import * as deposits from "../../chain-core/src/mempool/requests.ts";
import type { Effect, Event, Topic } from "../../chain-core/src/node/machine.ts";
import * as machine from "../../chain-core/src/node/machine.ts";
import type { Stored } from "../../chain-core/src/node/port.ts";
import type * as signer from "../../signer/src/machine.ts";
import { note } from "../seeds/trace.ts";
import { threw, violated } from "../seeds/violation.ts";
import { beaconHeight, startBeacon } from "./beacon-process.ts";
import { blockPersisted } from "./checkers/checks.ts";
import { checkSaid } from "./checkers/voting.ts";
import { operatorSecret } from "./genesis.ts";
import { portOf, readerOf, writeRecords } from "./ledger.ts";
import type { NodeDisk, NodeProcess, Operator, World } from "./model.ts";
import { send } from "./network.ts";
import { later, laterAt, survives, unborn } from "./process.ts";

export function createNode(): NodeProcess {
  const disk: NodeDisk = {
    records: new Map(),
    blocks: [],
    journal: [],
    root: undefined,
    time: 0,
    digest: "",
    progress: undefined,
    undo: [],
  };
  return {
    ...unborn(),
    disk,
    state: undefined,
    beacon: undefined,
    wakeAt: 0,
    tree: emptyTree,
    treeBefore: undefined,
    tickets: new Map(),
  };
}

export function heightOf(node: NodeProcess): number {
  return node.disk.blocks.length;
}

/** Starts with what is on the disk, as the composition does. */
export function startNode(world: World, operator: Operator): void {
  const { node, seat } = operator;
  const { disk } = node;
  if (disk.records.size === 0) writeGenesis(world, disk);
  node.isUp = true;
  node.boot += 1;
  node.wakeAt = 0;
  node.tickets.clear();
  node.tree = world.trees.get(disk.digest) ?? update(emptyTree, disk.records.values());
  node.treeBefore = disk.blocks.length > 0 ? update(node.tree, disk.undo) : undefined;
  const { genesis, bls, ledger } = world;
  const context: machine.Context = {
    genesis,
    bls,
    secretKey: operatorSecret(seat, "consensus"),
    ledger: portOf(ledger, genesis, disk),
    store: readerOf(disk),
    blocks: (height) => disk.blocks[height - 1],
  };
  note(world.trace, world.queue.now, `node ${seat} starts at ${disk.blocks.length}`);
  const [state, effects] = machine.initial(context, storedOf(node), clockOf(world, operator));
  node.state = state;
  startBeacon(world, operator);
  perform(world, operator, effects);
  for (const other of world.operators) {
    if (other === operator || !other.node.isUp) continue;
    for (const [a, b] of [
      [operator, other],
      [other, operator],
    ] as const)
      later(world, a.node, 1, `connect ${a.seat} ${b.seat}`, () =>
        toNode(world, a, { kind: "connected", at: clockOf(world, a), peer: String(b.seat) }),
      );
  }
}

function writeGenesis(world: World, disk: NodeDisk): void {
  const { puts, tree } = world.ledger.port.genesis();
  writeRecords(disk, puts);
  disk.root = world.ledger.port.root(tree);
  disk.time = world.genesis.time;
}

function storedOf({ disk, tree }: NodeProcess): Stored {
  const newest = disk.blocks.at(-1);
  const common = { tree, journal: disk.journal, ...(disk.root && { root: disk.root }) };
  if (newest === undefined) return common;
  const { header } = blockCodec.decode(newest.block);
  return { ...common, tip: { header, certificate: certificateCodec.decode(newest.certificate) } };
}

/** Tells the others that the connection is gone. */
export function disconnectNode(world: World, operator: Operator): void {
  for (const other of world.operators) {
    if (other === operator || !other.node.isUp) continue;
    const peer = String(operator.seat);
    later(world, other.node, 5, `disconnect ${other.seat} ${peer}`, () =>
      toNode(world, other, { kind: "disconnected", at: clockOf(world, other), peer }),
    );
  }
}

export function clockOf(world: World, { skewMs }: Operator): number {
  return world.queue.now + skewMs;
}

function toNode(world: World, operator: Operator, event: Event): void {
  const { node } = operator;
  if (!node.isUp || node.state === undefined) return;
  let effects: readonly Effect[];
  const before = node.state.requests.cursor;
  try {
    [node.state, effects] = machine.step(node.state, event);
  } catch (error) {
    threw(`node ${operator.seat} at ${event.kind}`, error);
  }
  if (world.ledger.thrown !== undefined)
    threw(`node ${operator.seat} at ledger`, world.ledger.thrown);
  perform(world, operator, effects);
  if (node.isUp && node.state.requests.cursor !== before) world.wires.requestsCame(operator);
}

function perform(world: World, operator: Operator, effects: readonly Effect[]): void {
  const { node, seat } = operator;
  for (const [i, effect] of effects.entries()) {
    if (!survives(world, node, `node ${seat}`, i)) {
      disconnectNode(world, operator);
      return;
    }
    performOne(world, operator, effect);
  }
}

function performOne(world: World, operator: Operator, effect: Effect): void {
  const { node, seat, skewMs } = operator;
  switch (effect.kind) {
    case "send":
      checkSaid(world, operator, effect.bytes);
      for (const other of world.operators)
        if (other !== operator && (effect.to === undefined || effect.to === String(other.seat)))
          send(world.network, seat, other.seat, `message ${seat} ${other.seat}`, () =>
            toNode(world, other, {
              kind: "message",
              at: clockOf(world, other),
              from: String(seat),
              bytes: effect.bytes,
            }),
          );
      return;
    case "gossip":
      for (const other of world.operators)
        if (other !== operator)
          send(world.network, seat, other.seat, `gossip ${seat} ${other.seat}`, () =>
            toNode(world, other, {
              kind: "gossip",
              at: clockOf(world, other),
              from: String(seat),
              topic: effect.topic,
              bytes: effect.bytes,
            }),
          );
      return;
    case "journal":
      if (effect.fresh) node.disk.journal = [effect.record];
      else node.disk.journal.push(effect.record);
      return;
    case "persist":
      persist(world, operator, effect);
      return;
    case "wake":
      node.wakeAt = effect.at;
      laterAt(world, node, effect.at - skewMs, `wake node ${seat}`, () => {
        if (node.wakeAt === effect.at)
          toNode(world, operator, { kind: "woke", at: clockOf(world, operator) });
      });
      return;
    case "reply": {
      const answer = node.tickets.get(effect.ticket);
      node.tickets.delete(effect.ticket);
      answer?.(effect.result);
      return;
    }
    case "ban":
      violated("no-ban", `node ${seat} bans ${effect.peer}: ${effect.reason}`);
      return;
    case "halt":
      violated("no-halt", `node ${seat} halts: ${effect.reason.message}`);
  }
}

function persist(world: World, operator: Operator, effect: Effect & { kind: "persist" }): void {
  const { node, seat } = operator;
  const { disk } = node;
  if (effect.height !== disk.blocks.length + 1)
    violated(
      "one-chain",
      `node ${seat} persists height ${effect.height} after ${disk.blocks.length}`,
    );
  disk.undo = writeRecords(disk, effect.puts);
  disk.blocks.push({ block: effect.block, certificate: effect.certificate });
  disk.root = effect.root;
  disk.time = effect.time;
  node.treeBefore = node.tree;
  node.tree = treeAfter(world, node.tree, effect.puts);
  note(
    world.trace,
    world.queue.now,
    `node ${seat} final ${effect.height} ${keyOf(effect.id).slice(0, 8)}`,
  );
  const isFirst = world.checks.heights[effect.height] === undefined;
  blockPersisted(world, operator, effect);
  if (isFirst) world.wires.blockFinal(effect.receipts.map(({ bytes }) => bytes));
  world.wires.heightFinal(operator);
  beaconHeight(world, operator);
}

function treeAfter(world: World, before: Tree, puts: Parameters<typeof writeRecords>[1]): Tree {
  return world.ledger.trees.get(puts) ?? update(before, puts);
}

// ------------------------------------------------------------------------------- the node's RPC (SEAMS)

/** Hands a transaction or a request in; `answer` comes in the same step, or never when the node dies. */
export function submitTo(
  world: World,
  operator: Operator,
  topic: Topic,
  bytes: Uint8Array,
  answer: (result: { readonly id: Uint8Array } | Rejected) => void,
): void {
  world.ticket += 1;
  const { ticket } = world;
  operator.node.tickets.set(ticket, answer);
  toNode(world, operator, { kind: "submit", at: clockOf(world, operator), ticket, topic, bytes });
}

export function sequenceOf(world: World, { node, seat }: Operator, role: number): number {
  const validator = must(world.genesis.validators[seat], "validator").owner;
  return nextSequence(readerOf(node.disk), { validator, role });
}

/** Method `prove`: the state before the newest block, under its header; undefined before the first block. */
export function proveOf(
  { node }: Operator,
  id: number,
  { keys, endsFrom }: { readonly keys: readonly Uint8Array[]; readonly endsFrom?: number },
): (signer.Event & { kind: "proved" }) | undefined {
  const { disk, treeBefore } = node;
  const newest = disk.blocks.at(-1);
  if (newest === undefined || treeBefore === undefined) return undefined;
  const undone = new Map(disk.undo.map(({ key, value }) => [keyOf(key), value]));
  const records = keys.map((key) => {
    const name = keyOf(key);
    const value = undone.has(name) ? undone.get(name) : disk.records.get(name)?.value;
    const proof = recordProofCodec.encode(prove(treeBefore, key));
    return { key, proof, ...(value !== undefined && { value }) };
  });
  return {
    kind: "proved",
    id,
    header: headerCodec.encode(blockCodec.decode(newest.block).header),
    certificate: newest.certificate,
    committee: nextCommitteeAt(disk),
    records,
    ...(endsFrom !== undefined && { ends: endsOf(disk, endsFrom) }),
  };
}

/** Codec bytes of the committee that the newest header names next. */
function nextCommitteeAt(disk: NodeDisk): Uint8Array | undefined {
  const reader = readerOf(disk);
  const { number, firstHeight } = epochOf(reader);
  const isTurned = firstHeight === disk.blocks.length + 1;
  const committee = committeeAt(reader, isTurned ? number : number + 1);
  return committee && committeeCodec.encode(committee);
}

/** Method `ends`. */
function endsOf(disk: NodeDisk, from: number): Finality[] {
  const reader = readerOf(disk);
  const ends: Finality[] = [];
  for (let epoch = 0; epoch < epochOf(reader).number; epoch++) {
    const height = firstHeightOf(reader, epoch + 1) - 1;
    const last = disk.blocks[height - 1];
    const next = committeeAt(reader, epoch + 1);
    if (height < from || last === undefined || next === undefined) continue;
    ends.push({
      header: headerCodec.encode(blockCodec.decode(last.block).header),
      certificate: last.certificate,
      committee: committeeCodec.encode(next),
    });
  }
  return ends;
}

function firstHeightOf(reader: StateReader, epoch: number): number {
  const running = epochOf(reader);
  if (running.number === epoch) return running.firstHeight;
  return must(pastEpochs.get(reader, epoch), "past epoch").firstHeight;
}

/** Requests that the node knows after a cursor. */
export function requestsOf(
  { node }: Operator,
  cursor: number,
): { requests: Uint8Array[]; next: number } {
  return node.state === undefined
    ? { requests: [], next: cursor }
    : deposits.after(node.state.requests, cursor, 256);
}

/** True when two nodes hold the same records. */
export function sameState(a: NodeDisk, b: NodeDisk): boolean {
  if (a.records.size !== b.records.size) return false;
  for (const [name, { value }] of a.records) {
    const other = b.records.get(name);
    if (other === undefined || !equal(other.value, value)) return false;
  }
  return true;
}

export function isRefused(result: { readonly id: Uint8Array } | Rejected): result is Rejected {
  return isRejected(result);
}
