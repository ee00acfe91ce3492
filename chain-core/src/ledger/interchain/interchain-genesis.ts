// The interchain module's state at height 0: the header chain's checkpoint, empty accounts, and contracts that
// nobody has stated yet.
import { assert, isRejected } from "@causeway/primitives";
import { checkpointHeader } from "../../interchain/bitcoin/headers.ts";
import {
  accountings,
  bitcoinBest,
  bitcoinHeaders,
  bitcoinTips,
  evmStates,
} from "../../interchain/records.ts";
import type { Genesis } from "../genesis.ts";
import type { State } from "../state.ts";
import { accountOf, wrappedAssets } from "./accounting.ts";

/** Writes of height 0. Asserts that the checkpoint can carry the header rules. */
export function interchainGenesis({
  genesis,
  state,
}: {
  readonly genesis: Genesis;
  readonly state: State;
}): void {
  const checkpoint = checkpointHeader(genesis.bitcoin);
  assert(!isRejected(checkpoint), "the checkpoint of the genesis cannot be built on");
  const { hash, height, bytes, work } = checkpoint;
  bitcoinHeaders.put(state, hash, { header: bytes, height, work });
  bitcoinBest.put(state, height, { hash });
  bitcoinTips.put(state, genesis.bitcoin.chain, { hash, height });
  for (const { id } of wrappedAssets(genesis)) accountings.put(state, id, accountOf(state, id));
  for (const { chain } of genesis.evm)
    evmStates.put(state, chain, {
      stated: false,
      codeHash: new Uint8Array(32),
      keyId: 0,
      nextNonce: 1,
    });
}
