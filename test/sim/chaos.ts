// Makes the planned faults happen, and heals the world: crashes and restarts, partitions, foreign nodes that are
// away, reorganisations at the worst moment.
import { must } from "@causeway/primitives";
import { after } from "../seeds/queue.ts";
import { note } from "../seeds/trace.ts";
import type { Tx } from "./bitcoin.ts";
import { best, blockOf, mineNext, reorganise } from "./bitcoin.ts";
import { bitcoinChanged, ethereumChanged } from "./checkers/foreign.ts";
import * as ethereum from "./ethereum.ts";
import type { FaultPlan, Part } from "./faults.ts";
import { announceBitcoin, announceEthereum, recoverBitcoin, recoverEthereum } from "./foreign.ts";
import { settleEarly } from "./hostile.ts";
import type { Operator, Process, World } from "./model.ts";
import { disconnectNode, startNode } from "./node-process.ts";
import { kill } from "./process.ts";
import { startRelay } from "./relay-process.ts";
import { startSigner } from "./signer-process.ts";
import type { Deposit } from "./users.ts";

const starters = { node: startNode, signer: startSigner, relay: startRelay } as const;

export function startPart(world: World, operator: Operator, part: Part): void {
  const process: Process = operator[part];
  if (process.isUp || operator.isSilent) return;
  process.diesAfter = undefined;
  starters[part](world, operator);
}

/** Everything that has a time. */
export function scheduleFaults(world: World): void {
  const { plan, queue } = world;
  for (const crash of plan.crashes)
    after(queue, crash.atMs, `crash ${crash.part} ${crash.operator}`, () =>
      crashPart(world, crash),
    );
  for (const { atMs, forMs, side } of plan.partitions)
    after(queue, atMs, "partition", () => {
      if (world.network.healed) return;
      world.faults.partition += 1;
      world.network.partitions.add(side);
      after(queue, forMs, "partition ends", () => world.network.partitions.delete(side));
    });
  for (const { chain, operator, atMs, forMs } of plan.rpcDown)
    after(queue, atMs, `${chain} away ${operator}`, () => goAway(world, chain, operator, forMs));
  after(queue, plan.healAfterMs, "heal", () => heal(world));
}

function crashPart(world: World, crash: FaultPlan["crashes"][number]): void {
  const operator = must(world.operators[crash.operator], "operator");
  const process: Process = operator[crash.part];
  const { part, withinStep } = crash;
  if (world.network.healed || operator.isSilent) return;
  if (process.isUp) {
    world.faults[`${part}-crash`] += 1;
    if (withinStep !== undefined) process.diesAfter = withinStep;
    else {
      kill(world, process, `${part} ${operator.seat}`);
      if (part === "node") disconnectNode(world, operator);
    }
  }
  after(world.queue, crash.forMs, `restart ${part} ${operator.seat}`, () =>
    startPart(world, operator, part),
  );
}

function goAway(world: World, chain: "bitcoin" | "ethereum", seat: number, forMs: number): void {
  const operator = must(world.operators[seat], "operator");
  if (world.network.healed || operator.isSilent) return;
  world.faults[`${chain}-rpc-down`] += 1;
  const back = chain === "bitcoin" ? recoverBitcoin : recoverEthereum;
  operator[chain === "bitcoin" ? "bitcoinDown" : "ethereumDown"] = true;
  after(world.queue, forMs, `${chain} back ${seat}`, () => back(world, operator));
}

/** From here on messages arrive, processes run and foreign nodes answer. A silent operator stays silent. */
function heal(world: World): void {
  note(world.trace, world.queue.now, "healed");
  world.network.healed = true;
  world.network.partitions.clear();
  for (const operator of world.operators) {
    if (operator.bitcoinDown) recoverBitcoin(world, operator);
    if (operator.ethereumDown) recoverEthereum(world, operator);
    for (const part of ["node", "signer", "relay"] as const) {
      operator[part].diesAfter = undefined;
      startPart(world, operator, part);
    }
  }
}

// ---------------------------------------------------------------------------------- the foreign chains

export type Reorganisation = FaultPlan["reorganisations"][number];

/** Mines the next block, or lets a planned reorganisation happen where it hurts. */
export function bitcoinBlock(
  world: World,
  deposits: readonly Deposit[],
  pending: Reorganisation[],
): void {
  const hit = pending.findIndex((one) => isTime(world, deposits, one));
  const [planned] = hit < 0 ? [] : pending.splice(hit, 1);
  if (planned === undefined) mineNext(world.bitcoin);
  else replaceBlocks(world, deposits, planned);
  bitcoinChanged(world);
  settleEarly(world);
  announceBitcoin(world);
}

function isTime(world: World, deposits: readonly Deposit[], one: Reorganisation): boolean {
  if (one.when !== "anywhere") return target(world, deposits, one) !== undefined;
  const mined = best(world.bitcoin).height - world.genesis.bitcoin.checkpoint.height;
  return mined >= one.depth && world.random.chance(0.2);
}

function replaceBlocks(world: World, deposits: readonly Deposit[], one: Reorganisation): void {
  const { depth, when, doubleSpend } = one;
  world.faults[when === "after-credit" ? "deep-reorganisation" : "bitcoin-reorganisation"] += 1;
  const conflicts: Tx[] = [];
  if (doubleSpend) {
    const victim = must(target(world, deposits, one), "target");
    world.faults["double-spend"] += 1;
    conflicts.push(victim.conflict());
    victim.isGone = true;
  }
  note(world.trace, world.queue.now, `reorganisation of ${depth} ${when}`);
  reorganise(world.bitcoin, depth, conflicts);
}

/** A deposit whose block has exactly `depth` confirmations. */
function target(
  world: World,
  deposits: readonly Deposit[],
  { depth, when }: Reorganisation,
): Deposit | undefined {
  const top = best(world.bitcoin).height;
  return deposits.find(({ tx, isGone, isCredited }) => {
    if (isGone || (when === "before-credit" && isCredited)) return false;
    const entry = blockOf(world.bitcoin, tx.txid);
    return entry !== undefined && top - entry.height + 1 === depth;
  });
}

/** Ethereum makes blocks while somebody waits for one. */
export function ethereumBlock(world: World, pending: { count: number }): void {
  if (!ethereum.isBusy(world.ethereum)) return;
  const { transactions } = ethereum.head(world.ethereum);
  if (pending.count > 0 && transactions.length > 0) {
    pending.count -= 1;
    world.faults["ethereum-reorganisation"] += 1;
    ethereum.reorganise(world.ethereum);
    ethereum.mineBlock(world.ethereum);
  }
  ethereum.mineBlock(world.ethereum);
  ethereumChanged(world);
  announceEthereum(world);
}
