// What tests ask of a world about what came in, and about its books.
import { assert, isRejected } from "@causeway/primitives";
import type { Output } from "../../codec/action.ts";
import { creditId } from "../../interchain/policy.ts";
import type { Inbound } from "../../interchain/records.ts";
import { inbounds } from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import { eventIdOf } from "../../interchain/statement.ts";

import { outputs } from "../utxo/outputs.ts";
import { isBalanced } from "./accounting.ts";
import type { Deposit, World } from "./testing.ts";
import { account, bring, deposit, mine } from "./testing.ts";

/** `chain`: by default Bitcoin. */
export function eventId(
  { genesis }: World,
  event: ForeignEvent,
  chain: Uint8Array = genesis.bitcoin.chain,
): Uint8Array {
  const id = eventIdOf(genesis.networkId, chain, event);
  if (isRejected(id)) throw new Error(id.message);
  return id;
}

export function inboundOf(
  world: World,
  event: ForeignEvent,
  chain?: Uint8Array,
): Inbound | undefined {
  return inbounds.get(world.state, eventId(world, event, chain));
}

/** The output that the deposit was credited with. */
export function creditOf(world: World, event: ForeignEvent): Output | undefined {
  const txid = creditId(world.genesis.networkId, eventId(world, event));
  return outputs.get(world.state, { txid, index: 0 });
}

/** A deposit mined in the next block, whose header the ledger has. */
export function deposited(
  world: World,
  options: Parameters<typeof deposit>[1],
): Deposit & { readonly block: ReturnType<typeof mine>; readonly stated: ForeignEvent } {
  const made = deposit(world, options);
  const block = mine(world, [made.transaction]);
  bring(world, block);
  return { ...made, block, stated: made.event(block) };
}

/** ACC-1, and nothing has halted. */
export function assertSound(world: World): void {
  assert(isBalanced(account(world)), "the books do not balance");
  assert(!account(world).halted, "the asset has halted");
}
