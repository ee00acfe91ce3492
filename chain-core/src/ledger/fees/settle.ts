// Where fees go (ACC-2): the base fee out of existence, the tip to the proposer, a fee in kind into the reserve.
import type { Bytes32, NetworkId } from "@causeway/primitives";
import { bigEndian, equal, H } from "@causeway/primitives";
import { btm } from "../assets.ts";
import { moveEconomy } from "../economy.ts";
import { move } from "../interchain/accounting.ts";
import type { BlockContext } from "../rule.ts";
import { addOutput } from "../utxo/outputs.ts";
import { moveBaseFee } from "./base-fee.ts";
import type { Fee } from "./surplus.ts";

/** Of one transaction or of all in a block, in BTM units. A fee in kind is in neither. */
export type Shares = { readonly burnt: bigint; readonly tip: bigint };
export const noShares: Shares = { burnt: 0n, tip: 0n };

export function addShares(a: Shares, b: Shares): Shares {
  return { burnt: a.burnt + b.burnt, tip: a.tip + b.tip };
}

/**
 * Splits a fee that is worth at least `least`. A wrapped asset moves from the supply into its reserve whole, so that
 * ACC-1 holds to the unit; the caller's state takes the write.
 */
export function splitFee({ genesis, state }: BlockContext, fee: Fee, least: bigint): Shares {
  if (equal(fee.asset, btm(genesis))) return { burnt: least, tip: fee.amount - least };
  move(state, fee.asset, { supply: -fee.amount, reserve: fee.amount });
  return noShares;
}

/** The txid of the output that pays a block's tips: one for each height. */
export function tipOutputTxid(network: NetworkId, height: number): Bytes32 {
  return H("tip", network, bigEndian(height, 8));
}

/**
 * After a block's transactions: burns, pays `proposer` (a lock) its tips in one output, moves the base fee. `weight` is
 * that of the paid transactions.
 */
export function settleFees(
  { genesis, params, state, height }: BlockContext,
  { burnt, tip }: Shares,
  proposer: Uint8Array,
  weight: number,
): void {
  if (burnt > 0n) moveEconomy(state, { burnt });
  if (tip > 0n)
    addOutput(
      state,
      { txid: tipOutputTxid(genesis.networkId, height), index: 0 },
      { asset: btm(genesis), amount: tip, lock: proposer },
    );
  moveBaseFee(state, params, weight);
}
