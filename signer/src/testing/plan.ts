// Plans written into a test's ledger as its planner writes them.
import type { RegistryAsset, State } from "@causeway/chain-core/interchain";
import {
  accountings,
  assetId,
  batchCodec,
  batchDigest,
  batches,
  evmStates,
  itemKinds,
  planId,
  planKinds,
  planStatus,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { must, sha256, zero32 } from "@causeway/primitives";
import { blockContext } from "../../../chain-core/src/ledger/context.ts";
import type { LedgerEnv } from "../../../chain-core/src/ledger/env.ts";
import { openPlan } from "../../../chain-core/src/ledger/interchain/open-plan.ts";
import { env as testEnv } from "./ledger.ts";

/**
 * Writes a batch of one withdrawal into the ledger as its planner does. Another `amount` is another content of the
 * same nonce, which no right ledger plans; so is a `to` that is not the withdrawal's.
 * `wrapped`: an asset of the registry, by default the genesis' first.
 */
export function addBatchPlan(
  ledger: {
    readonly write: (change: (state: State) => void) => void;
    readonly nowMs: number;
    /** By default that of the four signers. */
    readonly env?: LedgerEnv;
  },
  nonce: number,
  amount: bigint = 100_000n,
  of: { readonly to?: Uint8Array; readonly wrapped?: RegistryAsset; readonly keyId?: number } = {},
): Uint8Array {
  const { write, nowMs, env = testEnv } = ledger;
  const { genesis } = env;
  const { keyId = 2 } = of;
  const evm = must(genesis.evm[0], "chain");
  const wrapped = must(of.wrapped ?? genesis.assets[0], "asset");
  const asset = must(assetId({ ...genesis, assets: [wrapped] }, wrapped.symbol), "asset id");
  const token = must(wrapped.exports[0], "export").token;
  const payload = new Uint8Array(20).fill(7);
  const fee = genesis.params.evmItemFee;
  const item = { kind: itemKinds.mint, token, to: of.to ?? payload, amount: amount - fee };
  const { stipend, overhead } = genesis.params;
  const batch = { keyId, nonce, stipend, overhead, items: [item] };
  const domain = { network: genesis.networkId, chainId: evm.chainId, contract: evm.gateway };
  const subject = batchCodec.encode(batch);
  const plan = planId(genesis.networkId, planKinds.evmBatch, subject);
  const withdrawal = sha256(subject);
  write((state) => {
    const books = accountings.get(state, asset);
    if (books !== undefined)
      accountings.put(state, asset, {
        ...books,
        coins: books.coins + amount,
        pending: books.pending + amount - fee,
        reserve: books.reserve + fee,
      });
    evmStates.put(state, evm.chain, {
      stated: true,
      codeHash: zero32,
      keyId,
      nextNonce: nonce + 1,
    });
    batches.put(state, { chain: evm.chain, nonce }, { plan });
    withdrawals.put(state, withdrawal, {
      source: zero32,
      asset,
      amount,
      destination: { chain: evm.chain, payload },
      maxFee: fee,
      refund: zero32,
      status: withdrawalStatus.planned,
      reason: 0,
      plan,
      fee,
      ringFee: 0n,
      createdAt: nowMs,
      updatedAt: nowMs,
    });
    openPlan(blockContext(env, state, { height: 1, time: nowMs }), {
      kind: planKinds.evmBatch,
      keyId,
      chain: evm.chain,
      asset,
      subject,
      inputs: [],
      withdrawals: [withdrawal],
      anchor: new Uint8Array(0),
      attempt: 0,
      nonce,
      fee,
      txid: batchDigest(domain, batch),
      status: planStatus.planned,
      signatures: [],
      plannedAt: nowMs,
      updatedAt: nowMs,
    });
  });
  return plan;
}
