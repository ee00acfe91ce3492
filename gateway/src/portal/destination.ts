// Destinations as people write them: a chain's name (or its 32-byte id as hex) and an address of that chain.
import type { AddressCode, Destination, Genesis } from "@causeway/chain-core/interchain";
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
import { parseObject } from "./input.ts";

export type DestinationCode = "bad-request" | "bad-destination" | "unknown-chain" | AddressCode;

/** Names of the chains of a network: "causeway", "bitcoin", and "ethereum" (the first EVM chain) or "evm:<id>". */
export function chainName(genesis: Genesis, chain: Uint8Array): string {
  if (equal(chain, genesis.networkId)) return "causeway";
  if (equal(chain, genesis.bitcoin.chain)) return "bitcoin";
  const index = genesis.evm.findIndex((one) => equal(one.chain, chain));
  if (index === 0) return "ethereum";
  const evm = genesis.evm[index];
  return evm === undefined ? toHex(chain) : `evm:${evm.chainId}`;
}

/** The chain that a person named. */
export function parseChain(
  genesis: Genesis,
  text: unknown,
): Uint8Array | Rejected<DestinationCode> {
  const all = [
    bytes32(genesis.networkId),
    genesis.bitcoin.chain,
    ...genesis.evm.map(({ chain }) => chain),
  ];
  const id = parseHex(text, { size: 32 });
  const found = all.find(
    (one) => text === chainName(genesis, one) || (!isRejected(id) && equal(one, id)),
  );
  const names = all.map((one) => chainName(genesis, one)).join(", ");
  return found ?? rejected("unknown-chain", `chain must be one of ${names}`);
}

/** `{chain, address}` from outside as a destination. */
export function parseDestination(
  genesis: Genesis,
  value: unknown,
): Destination | Rejected<DestinationCode> {
  const fields = parseObject(value, "destination");
  if (isRejected(fields)) return rejected("bad-request", fields.message);
  const chain = parseChain(genesis, fields.chain);
  if (isRejected(chain)) return chain;
  const { address } = fields;
  if (typeof address !== "string" || address.length > 200)
    return rejected("bad-destination", "destination.address must be an address");
  if (equal(chain, genesis.bitcoin.chain)) {
    const script = parseBitcoinAddress(genesis.bitcoin.network, address);
    return isRejected(script) ? script : { chain, payload: script };
  }
  const lock = parseLock(address);
  if (isRejected(lock)) return rejected("bad-destination", lock.message);
  if (equal(chain, genesis.networkId)) return { chain, payload: lock };
  if (!isKeyLock(lock))
    return rejected("bad-destination", `${address} is no address that somebody holds`);
  return { chain, payload: lock.slice(12) };
}

/** The address of a destination as people write it; hex where it is none. */
export function formatDestination(genesis: Genesis, destination: Destination): string {
  const { chain, payload } = destination;
  if (equal(chain, genesis.networkId) && payload.length === 32) return formatLock(payload);
  if (genesis.evm.some((one) => equal(one.chain, chain)) && payload.length === 20)
    return formatAddress(payload);
  const isBitcoin = equal(chain, genesis.bitcoin.chain);
  const address = isBitcoin ? formatBitcoinAddress(genesis.bitcoin.network, payload) : undefined;
  return address ?? toHex(payload);
}
