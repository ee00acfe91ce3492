// Steps 1 to 3: the network starts, the ring makes its keys, the contracts are deployed.
import type { Key } from "@causeway/chain-core/interchain";
import {
  currentKeys,
  evmStates,
  formatAddress,
  keys as keyRecords,
  tokenStatus,
} from "@causeway/chain-core/interchain";
import { must, toHex } from "@causeway/primitives";
import { addressOf, publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { deployContracts, fund } from "./ethereum.ts";
import { proofOfNow, record, until } from "./follow.ts";
import type { Facts } from "./report.ts";
import type { Trip } from "./trip.ts";

/** Blocks that make a first coinbase spendable, and one more. */
const maturity = 101;

export async function stepStart(trip: Trip): Promise<Facts> {
  const { network, bitcoin, provider } = trip;
  const { operators, secrets } = network;
  const mined = bitcoin.mine(maturity);
  const gasAccounts = [
    ...secrets.operators.map((keys) => keys.gateway.evm),
    ...secrets.users,
    secrets.deployer,
  ];
  await fund(
    provider,
    gasAccounts.map((key) => formatAddress(addressOf(publicPoint(key)))),
  );
  const started = await Promise.allSettled(network.active.map((one) => one.start()));
  for (const one of started) if (one.status === "rejected") throw one.reason;
  await mined;
  const status = await until("the ledger's first block", async () => {
    const now = await trip.node.status();
    return now.height > 0 ? now : undefined;
  });
  return {
    network: status.networkId,
    genesis: network.genesisFile,
    genesisProofs: network.proofsFile,
    bitcoin: {
      implementation: network.bitcoin.implementation,
      url: network.bitcoin.url,
      cookieFile: network.bitcoin.cookieFile,
    },
    ethereum: { url: network.ethereum.url, chainId: must(network.genesis.evm[0], "evm").chainId },
    nodes: operators.map(({ nodeUrl }) => nodeUrl),
    portals: operators.map(({ portalUrl }) => portalUrl),
    pids: operators.map((one) => one.pids()),
    height: status.height,
  };
}

/** Waits until each chain has an active key (RNG-3). */
export async function stepKeys(trip: Trip): Promise<Facts> {
  const { genesis } = trip.network;
  const chains = [genesis.bitcoin, ...genesis.evm];
  const keys = await until("both keys to be active", async () => {
    const found: Key[] = [];
    for (const { chain } of chains) {
      const current = await record(trip.node, currentKeys, chain);
      const key = current && (await record(trip.node, keyRecords, current.keyId));
      if (key === undefined || !key.active) return undefined;
      found.push(key);
    }
    return found;
  });
  return {
    keys: keys.map((key, i) => ({
      keyId: key.keyId,
      chain: chains[i]?.kind,
      n: key.seats.length,
      t: key.threshold,
      groupPoint: key.groupPoint,
      canarySignature: key.canary,
    })),
    ...(await proofOfNow(trip.node)),
  };
}

/** Deploys at the addresses that the genesis names, and waits for the committee's statement (ETH-3). */
export async function stepContracts(trip: Trip): Promise<Facts> {
  const { network, provider, token } = trip;
  const { genesis, secrets } = network;
  const evm = must(genesis.evm[0], "an EVM chain");
  const current = await until("the Ethereum key", () => record(trip.node, currentKeys, evm.chain));
  const key = must(await record(trip.node, keyRecords, current.keyId), "the Ethereum key");
  const deployed = await deployContracts(
    provider,
    secrets.deployer,
    {
      network: genesis.networkId,
      guardians: genesis.guardians.keys.map(addressOf),
      guardianThreshold: genesis.guardians.threshold,
      first: { keyId: key.keyId, key: xOnly(key.groupPoint) },
      tokens: [{ token, status: tokenStatus.wrapped, capacity: 100n * 10n ** 8n }],
    },
    [{ name: "Bytom BTC", symbol: "BBTC", decimals: 8, minter: evm.gateway }],
  );
  const stated = await until("the committee's statement of the contract", async () => {
    const state = await record(trip.node, evmStates, evm.chain);
    return state?.stated === true ? state : undefined;
  });
  return {
    gateway: formatAddress(evm.gateway),
    token: formatAddress(token),
    transactions: deployed.transactions,
    codeHash: `0x${toHex(stated.codeHash)}`,
    ...(await proofOfNow(trip.node)),
  };
}
