// What the ring is asked to sign, written into the ledger as its planners write it: a batch for the EVM chain's contract
// (one message), or a payment from several coins of the Bitcoin vault (a message and a tweak for each).
import type { State } from "@causeway/chain-core/interchain";
import {
  accountings,
  activeKeys,
  assetId,
  currentKeys,
  evmStates,
  keys,
  listNames,
  lists,
  planKinds,
  plans,
} from "@causeway/chain-core/interchain";
import { planPayment } from "@causeway/chain-core/rehearsal";
import type { Random } from "@causeway/primitives";
import { equal, keyOf, must } from "@causeway/primitives";
import { addBatchPlan } from "../../signer/src/testing/plan.ts";
import { times } from "../seeds/plan.ts";
import type { Request, World } from "./model.ts";

/** Asks for one to three more signatures of one key at once, if a key is there; gives whether it did. */
export function ask(world: World): boolean {
  const { ledger, random } = world;
  const { genesis } = ledger;
  if (random.users.chance(0.5)) return askBitcoin(world, random.users.pick(bitcoinKeys(world)));
  const { chain } = must(genesis.evm[0], "EVM chain");
  const keyId = currentKeys.get(ledger.state(), chain)?.keyId;
  if (keyId === undefined) return false;
  for (let left = atOnce(random.users); left > 0; left--) {
    const nonce = evmStates.get(ledger.state(), chain)?.nextNonce ?? 0;
    remember(world, batch(world, keyId, Math.max(1, nonce), 100_000n));
  }
  return true;
}

/** One to three payments with coins of this key. */
export function askBitcoin(world: World, keyId: number | undefined): boolean {
  const { ledger, queue, random } = world;
  if (keyId === undefined) return false;
  ledger.write(queue.now, (block) => {
    for (let left = atOnce(random.users); left > 0; left--)
      remember(world, planPayment(block, keyId, someCoins(random.users)));
  });
  return true;
}

/** A plan for several small coins has a message for each. */
function someCoins(random: Random): Uint8Array[] {
  return times(1 + random.below(3), () => random.bytes(32));
}

/** Plans of one block are signed together. */
function atOnce(random: Random): number {
  return random.pick([1, 1, 2, 3]);
}

/** The running ring's, and older ones that were dealt to it. */
function bitcoinKeys({ ledger }: World): number[] {
  const state = ledger.state();
  const { chain } = ledger.genesis.bitcoin;
  return (activeKeys.get(state, "only")?.keyIds ?? []).filter((keyId) =>
    equal(must(keys.get(state, keyId), "key").chain, chain),
  );
}

function batch(world: World, keyId: number, nonce: number, amount: bigint): Uint8Array {
  const { ledger, queue } = world;
  // Nothing was deposited: the books stay as they are, else ACC-1 halts the asset.
  const write = (change: (state: State) => void): void =>
    ledger.write(queue.now, ({ state, genesis }) => {
      const asset = must(assetId(genesis, "BBTC"), "BBTC");
      const books = accountings.get(state, asset);
      change(state);
      if (books !== undefined) accountings.put(state, asset, books);
    });
  return addBatchPlan({ write, nowMs: queue.now, env: ledger.env }, nonce, amount, { keyId });
}

/** Another content under the nonce of an open batch, as no right ledger plans it. Gives whether there was one. */
export function replaceOne(world: World): boolean {
  const { ledger, queue } = world;
  const open = [...world.requests.values()].find(
    ({ plan, signedAtMs, isReplaced }) =>
      plan.kind === planKinds.evmBatch && signedAtMs === undefined && !isReplaced,
  );
  if (open === undefined) return false;
  ledger.write(queue.now, ({ state }) => {
    plans.delete(state, open.id);
    const ids = lists.get(state, listNames.plans)?.ids ?? [];
    const others = ids.filter((id) => keyOf(id) !== keyOf(open.id));
    lists.put(state, listNames.plans, { ids: others });
  });
  open.isReplaced = true;
  const { keyId, nonce, chain } = open.plan;
  const before = evmStates.get(ledger.state(), chain);
  const other = remember(world, batch(world, keyId, nonce, 200_000n));
  if (before !== undefined)
    ledger.write(queue.now, ({ state }) => evmStates.put(state, chain, before));
  // Which of the two is signed, if any, is up to who saw what first.
  other.isReplaced = true;
  return true;
}

export function remember(world: World, id: Uint8Array): Request {
  const plan = must(plans.get(world.ledger.state(), id), "plan");
  const request: Request = { id, plan, askedAtMs: world.queue.now, isReplaced: false };
  world.requests.set(keyOf(id), request);
  return request;
}
