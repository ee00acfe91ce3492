// The Ethereum side of the devnet: accounts with test ether, the deployment of the contracts, and a person
// who holds wrapped tokens there.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Artifact, GatewayArguments, TokenArguments } from "@causeway/chain-core/interchain";
import { gatewayInitCode, tokenInitCode } from "@causeway/chain-core/interchain";
import { Failure, fromHex, toHex } from "@causeway/primitives";
import type { TransactionReceipt } from "ethers";
import { Contract, JsonRpcProvider, Wallet } from "ethers";

const artifacts: string = resolve(import.meta.dirname, "../../contracts/artifacts");

export function artifact(name: "Gateway" | "WrappedToken"): Artifact {
  return JSON.parse(readFileSync(join(artifacts, `${name}.json`), "utf8")) as Artifact;
}

export function ethereumProvider(url: string): JsonRpcProvider {
  return new JsonRpcProvider(url, undefined, { pollingInterval: 200, staticNetwork: false });
}

/** Anvil's own faucet. */
export async function fund(
  provider: JsonRpcProvider,
  addresses: readonly string[],
  ether: bigint = 100n,
): Promise<void> {
  const balance = `0x${(ether * 10n ** 18n).toString(16)}`;
  for (const address of addresses) await provider.send("anvil_setBalance", [address, balance]);
}

async function mined(
  send: Promise<{ wait: () => Promise<TransactionReceipt | null> }>,
): Promise<TransactionReceipt> {
  const receipt = await (await send).wait();
  if (receipt === null || receipt.status !== 1)
    throw new Failure("evm-reverted", "the transaction reverted");
  return receipt;
}

/** Creates the gateway at the deployer's nonce 0 and the tokens after it, in order (ETH-3). */
export async function deployContracts(
  provider: JsonRpcProvider,
  deployer: Uint8Array,
  gateway: GatewayArguments,
  tokens: readonly TokenArguments[],
): Promise<{ gateway: string; tokens: string[]; transactions: string[] }> {
  const wallet = new Wallet(toHex(deployer), provider);
  const codes = [
    gatewayInitCode(artifact("Gateway"), gateway),
    ...tokens.map((token) => tokenInitCode(artifact("WrappedToken"), token)),
  ];
  const sent = [];
  for (const [nonce, code] of codes.entries())
    sent.push(
      await wallet.sendTransaction({ nonce, data: `0x${toHex(code)}`, gasLimit: 6_000_000 }),
    );
  const receipts = await Promise.all(sent.map((one) => mined(Promise.resolve(one))));
  const [first = "", ...rest] = receipts.map(({ contractAddress }) => contractAddress ?? "");
  return { gateway: first, tokens: rest, transactions: receipts.map(({ hash }) => hash) };
}

const gatewayAbi = [
  "function burn(address token, uint256 amount, (bytes32 chain, bytes payload) destination, uint256 maxFee)",
  "function deposit(address token, uint256 amount, (bytes32 chain, bytes payload) destination, uint256 maxFee) payable",
];
const tokenAbi = ["function balanceOf(address) view returns (uint256)"];

export type EthereumUser = {
  /** 20 bytes. */
  readonly address: Uint8Array;
  readonly balance: (token: Uint8Array) => Promise<bigint>;
  /** Burns wrapped tokens towards another chain; the transaction's receipt. */
  readonly burn: (order: BurnOrder) => Promise<TransactionReceipt>;
};

export type BurnOrder = {
  readonly token: Uint8Array;
  readonly amount: bigint;
  readonly chain: Uint8Array;
  readonly payload: Uint8Array;
  readonly maxFee: bigint;
};

export function ethereumUser(
  provider: JsonRpcProvider,
  gateway: Uint8Array,
  secret: Uint8Array,
): EthereumUser {
  const wallet = new Wallet(toHex(secret), provider);
  const bridge = new Contract(`0x${toHex(gateway)}`, gatewayAbi, wallet);
  return {
    address: fromHex(wallet.address),
    balance: async (token) => {
      const contract = new Contract(`0x${toHex(token)}`, tokenAbi, provider);
      return (await contract.getFunction("balanceOf")(wallet.address)) as bigint;
    },
    burn: ({ token, amount, chain, payload, maxFee }) =>
      mined(
        bridge
          .getFunction("burn")
          .send(
            `0x${toHex(token)}`,
            amount,
            { chain: `0x${toHex(chain)}`, payload: `0x${toHex(payload)}` },
            maxFee,
          ),
      ),
  };
}
