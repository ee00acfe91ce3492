// The state that the genesis begins with, of which the tree is the state root of block 1.
import type { Put } from "@causeway/primitives";
import { H } from "@causeway/primitives";
import { btm } from "./assets.ts";
import { moveEconomy } from "./economy.ts";
import { epochGenesis } from "./epoch/turn.ts";
import { feeGenesis } from "./fees/genesis.ts";
import type { Genesis } from "./genesis.ts";
import { interchainGenesis } from "./interchain/interchain-genesis.ts";
import { overlay } from "./overlay.ts";
import { putParameters } from "./parameters.ts";
import { ringGenesis } from "./ring/genesis.ts";
import type { State } from "./state.ts";
import { moveUtxoSum } from "./utxo/commitment.ts";
import { addOutput } from "./utxo/outputs.ts";

/** Writes of height 0, on an empty store. Initial balance i is output i of the txid H("genesis", nothing). */
export function genesisState(genesis: Genesis): Put[] {
  const state = overlay({ get: () => undefined });
  putParameters(state, genesis.params);
  putBalances(state, genesis);
  feeGenesis(state, genesis);
  epochGenesis(state, genesis);
  interchainGenesis({ state, genesis });
  ringGenesis({ state, genesis });
  moveUtxoSum(state, state.differences());
  return state.differences();
}

function putBalances(state: State, genesis: Genesis): void {
  const txid = H("genesis", genesis.networkId, new Uint8Array(0));
  const asset = btm(genesis);
  let paid = 0n;
  for (const [index, { lock, amount }] of genesis.balances.entries()) {
    addOutput(state, { txid, index }, { asset, amount, lock });
    paid += amount;
  }
  const bonded = genesis.validators.reduce((sum, { stake }) => sum + stake, 0n);
  const { total } = genesis.migration;
  moveEconomy(state, { issued: paid + bonded + total, unclaimed: total });
}
