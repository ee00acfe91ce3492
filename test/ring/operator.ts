// An operator: the signer's machine, its disk, its clock, its own node, its wires. On a Byzantine seat the same machine
// runs on, so that the seat knows what an honest one would do, but what leaves goes through its adversary.
import { roles } from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { nextSequence } from "../../chain-core/src/ledger/envelope.ts";
import * as machine from "../../signer/src/machine.ts";
import { shareFileName } from "../../signer/src/share-file.ts";
import { after } from "../seeds/queue.ts";
import { note } from "../seeds/trace.ts";
import { threw, violated } from "../seeds/violation.ts";
import { hear, say } from "./adversary.ts";
import { bring } from "./ceremonies.ts";
import { checkEffect, checkLedger } from "./checks.ts";
import { describe } from "./describe.ts";
import type { Disk, Operator, World } from "./model.ts";
import { clockOf, isByzantine, isHonest, processesOf } from "./model.ts";
import { delay, ledgerOf, passes, transmit } from "./network.ts";

/** A call to the own node, ms each way. */
const callMs = 1;
/** The own node passes on what it could not deliver at once, ms later. */
const holdMs = 2_500;
const imagesMax = 8;

export function start(world: World, operator: Operator): void {
  operator.boot += 1;
  operator.wakeAtMs = Number.POSITIVE_INFINITY;
  restoreOlder(world, operator);
  note(world.trace, world.queue.now, `${operator.index} starts`);
  operator.state = machine.initial(operator.context);
  operator.peers = new Set();
  const shares = [...operator.disk.shares.values()].map((one) => ({
    ...one,
    share: one.share.slice(),
  }));
  deliver(world, operator, { kind: "started", journal: [...operator.disk.journal], shares });
  tellHeight(world, operator);
}

function imageOf({ journal, shares }: Disk): Disk {
  return { journal: [...journal], shares: new Map(shares) };
}

/** Puts back a disk of an earlier time, as an operator does who restores last week's image. */
function restoreOlder(world: World, operator: Operator): void {
  const random = world.random.crash;
  const { images } = operator;
  if (world.healed || images.length === 0 || !random.chance(0.7)) return;
  world.counts["older disk"] += 1;
  operator.disk = imageOf(random.pick(images));
  operator.hasForgotten = true;
  note(world.trace, world.queue.now, `${operator.index} gets an older disk`);
}

/** Everything but the disk is gone. */
export function crash(
  world: World,
  operator: Operator,
  strategy: "crash" | "crash at a write",
): void {
  const random = world.random.crash;
  note(world.trace, world.queue.now, `${operator.index} crashes`);
  world.counts[strategy] += 1;
  operator.state = undefined;
  operator.boot += 1;
  const downMs = random.chance(0.15) ? 7_000 : 100 + random.below(2_000);
  after(world.queue, downMs, "", () => {
    if (operator.state === undefined && !operator.isSecond) start(world, operator);
  });
}

export function tellHeight(world: World, operator: Operator): void {
  const { head } = operator;
  if (head !== undefined) later(world, operator, callMs, { kind: "height", height: head.height });
}

/** To the process that lives now. */
function later(world: World, operator: Operator, ms: number, event: machine.Event): void {
  const { boot } = operator;
  after(world.queue, ms, "", () => {
    if (operator.boot === boot) deliver(world, operator, event);
  });
}

export function deliver(world: World, operator: Operator, event: machine.Event): void {
  if (operator.state === undefined) return;
  if (isByzantine(operator) && event.kind === "message")
    hear(world, operator, event.from, event.bytes);
  let effects: readonly machine.Effect[];
  try {
    const input = {
      nowMs: clockOf(world, operator),
      entropy: world.random.entropy.bytes(32),
      event,
    };
    [operator.state, effects] = machine.step(operator.context, operator.state, input);
  } catch (error) {
    threw(`${operator.index} at ${event.kind}`, error);
  }
  perform(world, operator, effects);
}

function perform(world: World, operator: Operator, effects: readonly machine.Effect[]): void {
  const { boot } = operator;
  const { plan, healed } = world;
  for (const effect of effects) {
    const isWrite = effect.kind === "journal" || effect.kind === "save-share";
    const mayDie = isHonest(operator) && !healed && effect.kind !== "log";
    // Between any two effects, in the midst of a step's.
    if (mayDie && plan.crash > 0 && world.random.crash.chance(plan.crash)) {
      crash(world, operator, "crash");
      return;
    }
    if (isWrite) operator.writes += 1;
    const dies = mayDie && isWrite ? deathAt(world, operator) : undefined;
    if (dies !== "before") performOne(world, operator, effect);
    if (dies !== undefined) {
      crash(world, operator, "crash at a write");
      return;
    }
    if (operator.boot !== boot) return;
  }
}

function deathAt({ plan }: World, { index, writes }: Operator): "before" | "after" | undefined {
  const found = plan.crashesAtWrites.find((one) => one.operator === index && one.write === writes);
  if (found === undefined) return undefined;
  return found.after ? "after" : "before";
}

function performOne(world: World, operator: Operator, effect: machine.Effect): void {
  if (isHonest(operator)) checkEffect(world, operator, effect);
  switch (effect.kind) {
    case "prove":
      prove(world, operator, effect);
      return;
    case "sequence":
      sequence(world, operator, effect);
      return;
    case "submit":
      if (!isByzantine(operator)) {
        submit(world, operator, effect.transaction, effect.id);
        return;
      }
      bring(world, operator, effect.transaction);
      later(world, operator, callMs, { kind: "submitted", id: effect.id });
      return;
    case "send":
      if (isByzantine(operator)) say(world, operator, effect.to, effect.bytes);
      else send(world, operator, effect.to, effect.bytes);
      return;
    case "journal":
      keepImage(world, operator);
      operator.disk.journal.push(effect.record);
      return;
    case "save-share":
      keepImage(world, operator);
      saveShare(operator, effect);
      return;
    case "erase-share":
      // Byzantine members keep every share, on purpose.
      if (isHonest(operator)) operator.disk.shares.delete(shareFileName(effect));
      return;
    case "erase-host":
      return;
    case "peers":
      operator.peers = new Set(effect.peers.map(({ number }) => number));
      return;
    case "end":
      end(world, operator, effect.message);
      return;
    case "wake":
      wake(world, operator, effect.atMs);
      return;
    case "read":
      later(world, operator, callMs, { kind: "failed", id: effect.id, code: "unreachable" });
      return;
    case "log":
      world.print?.(`${operator.index}   ${effect.message} ${JSON.stringify(effect.fields)}`);
  }
}

function saveShare(
  { disk }: Operator,
  { keyId, attempt, seat, share }: machine.Effect & { kind: "save-share" },
): void {
  // The machine overwrites what it gives up.
  const stored = { keyId, attempt, seat, share: share.slice() };
  disk.shares.set(shareFileName(stored), stored);
}

/** The operator starts it again, as one does. */
function end(world: World, operator: Operator, why: string): void {
  if (isHonest(operator) && !operator.hasForgotten)
    violated("nobody takes itself for another", `${operator.index} ends: ${why}`);
  note(world.trace, world.queue.now, `${operator.index} ends`);
  operator.state = undefined;
  operator.boot += 1;
  if (operator.isSecond) return;
  after(world.queue, 500, "", () => {
    if (operator.state === undefined) start(world, operator);
  });
}

/** Copies the folder of a running operator and starts another process on it. */
export function startSecond(world: World, operator: Operator): void {
  if (world.healed) return;
  world.counts["second copy"] += 1;
  operator.hasForgotten = true;
  const second: Operator = {
    ...operator,
    disk: imageOf(operator.disk),
    images: [],
    hasForgotten: true,
    isSecond: true,
    durable: new Map(operator.durable),
    state: undefined,
  };
  world.seconds.push(second);
  note(world.trace, world.queue.now, `${operator.index} runs twice`);
  start(world, second);
}

/** Somebody has seen it. */
export function stopSeconds(world: World): void {
  for (const second of world.seconds) {
    second.boot += 1;
    second.state = undefined;
  }
  world.seconds.length = 0;
}

/** Before a write, now and then. */
function keepImage(world: World, operator: Operator): void {
  const { images } = operator;
  if (!world.plan.olderDisks.has(operator.index) || images.length >= imagesMax) return;
  if (world.random.crash.chance(0.3)) images.push(imageOf(operator.disk));
}

/** The own node, on the same machine. */
function prove(
  world: World,
  operator: Operator,
  { id, keys }: machine.Effect & { kind: "prove" },
): void {
  const { head } = operator;
  if (head === undefined) {
    later(world, operator, callMs, { kind: "failed", id, code: "unreachable" });
    return;
  }
  const { header, certificate, committee } = head;
  const records = keys.map(head.prove);
  later(world, operator, callMs, { kind: "proved", id, header, certificate, committee, records });
}

function sequence(
  world: World,
  operator: Operator,
  { id, validator }: machine.Effect & { kind: "sequence" },
): void {
  if (!passes(world, ledgerOf(world), operator.index)) {
    later(world, operator, callMs, { kind: "failed", id, code: "unreachable" });
    return;
  }
  const next = nextSequence(world.ledger.state(), { validator, role: roles.signer });
  later(world, operator, callMs, { kind: "sequence", id, next });
}

/**
 * Through the own node to the ledger: on a good wire the node knows at once what the ledger says, else it takes the
 * transaction and brings it later, more than once, or never. `id`: the order to answer.
 */
export function submit(
  world: World,
  operator: Operator,
  transaction: Uint8Array,
  id?: number,
): void {
  const { queue, plan } = world;
  const to = ledgerOf(world);
  const arrive = (): Rejected | undefined => arrived(world, operator, transaction);
  const isDirect = passes(world, operator.index, to);
  const isKept = !isDirect || (!world.healed && world.random.network.chance(plan.loss));
  if (isKept) {
    if (id !== undefined) later(world, operator, callMs, { kind: "submitted", id });
    const keptMs = holdMs + delay(world);
    after(queue, keptMs, "", () => transmit(world, operator.index, to, arrive));
    return;
  }
  after(queue, delay(world), "", () => {
    const refusal = arrive();
    if (id === undefined) return;
    if (refusal === undefined) later(world, operator, callMs, { kind: "submitted", id });
    else {
      const { code, message } = refusal;
      later(world, operator, callMs, { kind: "rejected", id, code, message });
    }
  });
  if (!world.healed && plan.duplication > 0 && world.random.network.chance(plan.duplication))
    transmit(world, operator.index, to, arrive);
}

function arrived(world: World, operator: Operator, transaction: Uint8Array): Rejected | undefined {
  const refusal = world.ledger.submit(transaction, world.queue.now);
  const what = `${operator.index} -> ledger ${describe(transaction)} ${refusal?.code ?? "ok"}`;
  world.print?.(what);
  if (refusal !== undefined) return refusal;
  note(world.trace, world.queue.now, what);
  checkLedger(world);
  return undefined;
}

/** Bytes to another operator's signer over the wires. */
export function send(world: World, from: Operator, to: number, bytes: Uint8Array): void {
  transmit(world, from.index, to, () => {
    if (!from.peers.has(to)) return;
    world.print?.(`${from.index} -> ${to} ${describe(bytes)}`);
    for (const other of processesOf(world, to))
      if (other.peers.has(from.index))
        deliver(world, other, { kind: "message", from: from.index, bytes });
  });
}

/** Of several orders the earliest counts. A timer measures durations: a clock that jumps does not move it. */
function wake(world: World, operator: Operator, atMs: number): void {
  const { boot } = operator;
  const at = world.queue.now + Math.max(0, atMs - clockOf(world, operator));
  if (operator.wakeAtMs <= at) return;
  operator.wakeAtMs = at;
  after(world.queue, at - world.queue.now, "", () => {
    if (operator.boot !== boot || operator.wakeAtMs !== at) return;
    operator.wakeAtMs = Number.POSITIVE_INFINITY;
    deliver(world, operator, { kind: "woke" });
  });
}
