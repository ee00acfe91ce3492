// Destinations as people write them: a chain's name (or its 32-byte id as hex) and an address of that chain.
import type { Destination, Genesis } from "@causeway/chain-core/interchain";
import {
  formatAddress,
  formatBitcoinAddress,
  formatLock,
  isKeyLock,
  parseBitcoinAddress,
  parseLock,
} from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { bytes32, equal, isRejected, parseHex, rejected, toHex } from "@causeway/primitives";

export type BadDestination = Rejected<"bad-destination" | "unknown-chain">;

/** Names of the chains of a network: "causeway", "bitcoin", and "ethereum" (or "evm:<chain id>"). */
export function chainName(genesis: Genesis, chain: Uint8Array): string {
  if (equal(chain, genesis.networkId)) return "causeway";
  if (equal(chain, genesis.bitcoin.chain)) return "bitcoin";
  const index = genesis.evm.findIndex((one) => equal(one.chain, chain));
  if (index === 0) return "ethereum";
  const evm = genesis.evm[index];
  return evm === undefined ? toHex(chain) : `evm:${evm.chainId}`;
}

/** The chain that a person named, or unknown-chain. */
export function parseChain(genesis: Genesis, text: unknown): Uint8Array | BadDestination {
  const chains = [bytes32(genesis.networkId), genesis.bitcoin.chain];
  const all = [...chains, ...genesis.evm.map(({ chain }) => chain)];
  const found = all.find((one) => text === chainName(genesis, one));
  if (found !== undefined) return found;
  const bytes = parseHex(text, { size: 32 });
  const known = isRejected(bytes) ? undefined : all.find((one) => equal(one, bytes));
  const names = all.map((one) => chainName(genesis, one)).join(", ");
  return known ?? rejected("unknown-chain", `chain must be one of ${names}`);
}

/** `{chain, address}` from outside as a destination. */
export function parseDestination(
  genesis: Genesis,
  chainText: unknown,
  addressText: unknown,
): Destination | BadDestination {
  const chain = parseChain(genesis, chainText);
  if (isRejected(chain)) return chain;
  if (typeof addressText !== "string" || addressText.length > 200)
    return rejected("bad-destination", "address must be a string");
  if (equal(chain, genesis.bitcoin.chain)) {
    const script = parseBitcoinAddress(genesis.bitcoin.network, addressText);
    return isRejected(script)
      ? rejected("bad-destination", script.message)
      : { chain, payload: script };
  }
  const lock = parseLock(addressText);
  if (isRejected(lock)) return rejected("bad-destination", lock.message);
  if (equal(chain, genesis.networkId)) return { chain, payload: lock };
  if (!isKeyLock(lock))
    return rejected("bad-destination", "an Ethereum address is 0x and 40 digits");
  return { chain, payload: lock.slice(12) };
}

/** The address of a destination as people write it. */
export function formatDestination(genesis: Genesis, destination: Destination): string {
  const { chain, payload } = destination;
  if (equal(chain, genesis.networkId) && payload.length === 32) return formatLock(payload);
  if (genesis.evm.some((one) => equal(one.chain, chain)) && payload.length === 20)
    return formatAddress(payload);
  if (equal(chain, genesis.bitcoin.chain))
    return formatBitcoinAddress(genesis.bitcoin.network, payload) ?? toHex(payload);
  return toHex(payload);
}
