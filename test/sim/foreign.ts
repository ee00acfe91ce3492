// What an operator's own Bitcoin and Ethereum nodes say: the simulated chains as far as this operator sees them.
import { bytes32, equal, must, reversed, toHex } from "@causeway/primitives";
import type { ForeignEvent } from "../../chain-core/src/interchain/statement.ts";
import { eventKinds } from "../../chain-core/src/interchain/statement.ts";
import { headersPerRead } from "../../chain-core/src/interchain/watch/bitcoin.ts";
import type { BlockRef, Facts } from "../../chain-core/src/interchain/watch/facts.ts";
import { after } from "../seeds/queue.ts";
import type { Entry } from "./bitcoin.ts";
import { ancestorAt, best, hashOf, headerOf } from "./bitcoin.ts";
import { blockAt, finalLag, keyAnswer, receiptOf } from "./ethereum.ts";
import type { Operator, World } from "./model.ts";

/** Until an operator's node has a block of another's, ms. */
const blockDelayMinMs = 50;
const blockDelaySpanMs = 900;

/** Something changed on Bitcoin: every operator sees it after a while. */
export function announceBitcoin(world: World): void {
  const tip = best(world.bitcoin);
  for (const operator of world.operators)
    after(
      world.queue,
      blockDelayMinMs + world.random.below(blockDelaySpanMs),
      `bitcoin ${tip.height} ${tip.block.hash.slice(-6)} at ${operator.seat}`,
      () => showBitcoin(world, operator, tip),
    );
}

/** The operator's node takes a block that has at least as much work as its own. */
function showBitcoin(world: World, operator: Operator, tip: Entry): void {
  if (operator.bitcoinDown || tip.work <= operator.bitcoinTip.work) return;
  operator.bitcoinTip = tip;
  world.wires.bitcoinSeen(operator);
}

/** The node is back: it has everything at once. */
export function recoverBitcoin(world: World, operator: Operator): void {
  operator.bitcoinDown = false;
  showBitcoin(world, operator, best(world.bitcoin));
}

export function announceEthereum(world: World): void {
  const { height } = must(world.ethereum.blocks.at(-1), "head");
  for (const operator of world.operators)
    after(
      world.queue,
      blockDelayMinMs + world.random.below(blockDelaySpanMs),
      `ethereum ${height} at ${operator.seat}`,
      () => showEthereum(world, operator, height),
    );
}

function showEthereum(world: World, operator: Operator, height: number): void {
  if (operator.ethereumDown || height <= operator.ethereumHeight) return;
  operator.ethereumHeight = height;
  world.wires.ethereumSeen(operator);
}

export function recoverEthereum(world: World, operator: Operator): void {
  operator.ethereumDown = false;
  showEthereum(world, operator, must(world.ethereum.blocks.at(-1), "head").height);
}

export function bitcoinTip({ bitcoinTip }: Operator): BlockRef {
  return { hash: bytes32(hashOf(bitcoinTip)), height: bitcoinTip.height };
}

/** 80 bytes each, from a height on, of the branch that the operator sees. */
export function headersFrom({ bitcoinTip }: Operator, from: number, count: number): Uint8Array[] {
  const headers: Uint8Array[] = [];
  const last = Math.min(bitcoinTip.height, from + Math.min(count, headersPerRead) - 1);
  for (let at = ancestorAt(bitcoinTip, last); at !== undefined && at.height >= from; at = at.parent)
    headers.unshift(headerOf(at));
  return headers;
}

export function blockBytes(world: World, hash: Uint8Array): Uint8Array | undefined {
  return world.bitcoin.node.chain.entries.get(displayed(hash))?.block.raw;
}

function displayed(hash: Uint8Array): string {
  return toHex(reversed(hash));
}

export function finalizedOf(world: World, operator: Operator): BlockRef {
  const height = Math.max(0, operator.ethereumHeight - finalLag);
  const block = must(blockAt(world.ethereum, height), "finalized block");
  return { hash: block.hash, height };
}

/** The facts of an event, or undefined while the operator's node of that chain is down. */
export function factsOf(
  world: World,
  operator: Operator,
  chain: Uint8Array,
  event: ForeignEvent,
): Facts | undefined {
  if (equal(chain, world.genesis.bitcoin.chain)) {
    if (operator.bitcoinDown) return undefined;
    const tip = bitcoinTip(operator);
    const entry = ancestorAt(operator.bitcoinTip, event.height);
    if (entry === undefined) return { kind: "bitcoin", tip };
    return {
      kind: "bitcoin",
      tip,
      block: { hash: bytes32(hashOf(entry)), header: headerOf(entry) },
    };
  }
  if (operator.ethereumDown) return undefined;
  return evmFacts(world, operator, event);
}

function evmFacts(world: World, operator: Operator, event: ForeignEvent): Facts {
  const { ethereum, deployed } = world;
  const finalized = finalizedOf(world, operator);
  const isSeen = event.height <= operator.ethereumHeight;
  const block = isSeen ? blockAt(ethereum, event.height) : undefined;
  const facts = {
    kind: "evm" as const,
    chain: ethereum.chain.chain,
    finalized,
    ...(block && { blockHash: block.hash }),
  };
  if (event.kind !== eventKinds.evmContract) {
    const receipt = receiptOf(ethereum, event.txid);
    const isVisible = receipt !== undefined && receipt.height <= operator.ethereumHeight;
    return { ...facts, ...(isVisible && { receipt }) };
  }
  if (block === undefined || event.height > finalized.height) return facts;
  const key = keyAnswer(ethereum);
  const { code, templateHash } = deployed;
  if (key.length === 0 || event.height < ethereum.deployedAt) {
    const none = { kind: "rejected", code: "not-deployed", message: "no code" } as const;
    return { ...facts, contract: { code: none, templateHash, key: new Uint8Array(0) } };
  }
  return { ...facts, contract: { code, templateHash, key } };
}
