// The real ledger behind the node's port.
import type { Bls } from "@causeway/primitives";
import { applyBlock } from "../ledger/apply.ts";
import { buildTransactions } from "../ledger/build.ts";
import { checkTransaction } from "../ledger/check.ts";
import { ledgerEnv } from "../ledger/env.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { emptyTree, root, update } from "../ledger/tree.ts";
import type { LedgerPort } from "./port.ts";

/** One per process: it remembers which signatures it verified. */
export function bindLedger(genesis: Genesis, bls: Bls): LedgerPort {
  const env = ledgerEnv(genesis, bls);
  return {
    genesis: () => {
      const puts = genesisState(genesis);
      return { puts, tree: update(emptyTree, puts) };
    },
    root,
    apply: (reader, tree, header, transactions) =>
      applyBlock(env, reader, tree, header, transactions),
    build: (reader, block, candidates) => buildTransactions(env, reader, block, candidates),
    check: (reader, block, bytes) => checkTransaction(env, reader, block, bytes),
  };
}
