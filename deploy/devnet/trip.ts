// What the steps of the round trip share.
import { assetId } from "@causeway/chain-core";
import type { NodeClient } from "@causeway/chain-core/client";
import { Failure, isRejected, must } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import type { JsonRpcProvider } from "ethers";
import type { BitcoinUser } from "./bitcoin-user.ts";
import { bitcoinUser } from "./bitcoin-user.ts";
import type { EthereumUser } from "./ethereum.ts";
import { ethereumProvider, ethereumUser } from "./ethereum.ts";
import { anyNode } from "./follow.ts";
import type { LedgerUser } from "./ledger-user.ts";
import { ledgerUser } from "./ledger-user.ts";
import type { Network } from "./network.ts";

export type Trip = {
  readonly network: Network;
  readonly node: NodeClient;
  readonly bbtc: Uint8Array;
  /** Address of BBTC on Ethereum, 20 bytes. */
  readonly token: Uint8Array;
  readonly provider: JsonRpcProvider;
  readonly bitcoin: BitcoinUser;
  readonly alice: LedgerUser;
  readonly bob: LedgerUser;
  /** Bob's Ethereum account has the same key as his lock on the ledger. */
  readonly bobOnEthereum: EthereumUser;
  readonly close: () => void;
};

export function makeTrip(network: Network): Trip {
  const { genesis, secrets } = network;
  const call = rpcClient({
    url: network.bitcoin.url,
    auth: { cookieFile: network.bitcoin.cookieFile },
    timeoutMs: 30_000,
  });
  const node = anyNode(network);
  const provider = ethereumProvider(network.ethereum.url);
  const evm = must(genesis.evm[0], "an EVM chain");
  const token = must(genesis.assets[0]?.exports[0], "an exported asset").token;
  const [aliceSecret, bobSecret] = secrets.users as [Uint8Array, Uint8Array];
  return {
    network,
    node,
    bbtc: must(assetId(genesis, "BBTC"), "BBTC"),
    token,
    provider,
    bitcoin: bitcoinUser(call),
    alice: ledgerUser(genesis, node, aliceSecret),
    bob: ledgerUser(genesis, node, bobSecret),
    bobOnEthereum: ethereumUser(provider, evm.gateway, bobSecret),
    close: () => {
      provider.destroy();
      call.close();
    },
  };
}

/** The value, or its refusal thrown. */
export function accepted<T>(value: T): Exclude<T, { kind: "rejected" }> {
  if (isRejected(value)) throw new Failure(value.code, value.message);
  return value as Exclude<T, { kind: "rejected" }>;
}
