// Bitcoin addresses as scripts and back, strictly for one network and only of the types that the ledger pays
// (BTC-4): what a wallet elsewhere would accept and nobody could spend is refused here.
import type { Rejected } from "@causeway/primitives";
import { concat, rejected, sha256 } from "@causeway/primitives";
import { isXOnly } from "@causeway/primitives/secp256k1";
import { bech32, bech32m, createBase58check } from "@scure/base";

export type BitcoinNetwork = "regtest" | "testnet4" | "mainnet";

type Prefixes = { readonly hrp: string; readonly p2pkh: number; readonly p2sh: number };
/** testnet4 and regtest share the prefixes of base58 addresses. */
const prefixes: Readonly<Record<BitcoinNetwork, Prefixes>> = {
  mainnet: { hrp: "bc", p2pkh: 0x00, p2sh: 0x05 },
  testnet4: { hrp: "tb", p2pkh: 0x6f, p2sh: 0xc4 },
  regtest: { hrp: "bcrt", p2pkh: 0x6f, p2sh: 0xc4 },
};

/** BTC-4: the payable types, and the least that Bitcoin Core relays to each, sats. */
export const dustLimits = {
  p2pkh: 546n,
  p2sh: 540n,
  p2wpkh: 294n,
  p2wsh: 330n,
  p2tr: 330n,
} as const;
export type ScriptType = keyof typeof dustLimits;

/** The payable type of a scriptPubKey; undefined for any other script, also for a P2TR key that is no point. */
export function scriptType(script: Uint8Array): ScriptType | undefined {
  const [first, second] = script;
  const last = script.at(-1);
  switch (script.length) {
    case 25: {
      const isStandard = first === 0x76 && second === 0xa9 && script[2] === 20;
      return isStandard && script[23] === 0x88 && last === 0xac ? "p2pkh" : undefined;
    }
    case 23:
      return first === 0xa9 && second === 20 && last === 0x87 ? "p2sh" : undefined;
    case 22:
      return first === 0 && second === 20 ? "p2wpkh" : undefined;
    case 34:
      if (second !== 32) return undefined;
      if (first === 0) return "p2wsh";
      return first === 0x51 && isXOnly(script.subarray(2)) ? "p2tr" : undefined;
    default:
      return undefined;
  }
}

export type AddressCode =
  /** Not an address at all, or its checksum is wrong. */
  | "bad-address"
  /** A right address of another Bitcoin network. */
  | "wrong-network"
  /** A right address of a type that the ledger does not pay: an unknown witness version, a key that is no point. */
  | "unpayable-address";

export type BadAddress = Rejected<AddressCode>;

const base58check = createBase58check(sha256);
const textSizeMax = 100;

/** The scriptPubKey of an address that a person wrote. */
export function parseBitcoinAddress(
  network: BitcoinNetwork,
  text: unknown,
): Uint8Array | BadAddress {
  if (typeof text !== "string" || text.length > textSizeMax || text.length < 14)
    return rejected("bad-address", "expected a Bitcoin address");
  const separator = text.lastIndexOf("1");
  const hrp = text.slice(0, separator).toLowerCase();
  const known = Object.values(prefixes).some((one) => one.hrp === hrp);
  return known ? parseSegwit(network, text, hrp) : parseBase58(network, text);
}

function parseSegwit(network: BitcoinNetwork, text: string, hrp: string): Uint8Array | BadAddress {
  const plain = bech32.decodeUnsafe(text);
  const decoded = plain ?? bech32m.decodeUnsafe(text);
  const version = decoded?.words[0];
  if (decoded === undefined || version === undefined || version > 16)
    return rejected("bad-address", `${text} has a wrong checksum`);
  // BIP350: bech32 for version 0, bech32m for all others.
  if ((version === 0) !== (plain !== undefined))
    return rejected("bad-address", `${text} has the checksum of another witness version`);
  if (hrp !== prefixes[network].hrp) return wrongNetwork(network, text);
  const program = bech32.fromWordsUnsafe(decoded.words.slice(1));
  if (!(program instanceof Uint8Array) || program.length < 2 || program.length > 40)
    return rejected("bad-address", `${text} has no witness program`);
  const opcode = version === 0 ? 0 : 0x50 + version;
  const script = concat(Uint8Array.of(opcode, program.length), program);
  if (scriptType(script) === undefined)
    return rejected("unpayable-address", `${text} is of a type that nobody could spend here`);
  return script;
}

function parseBase58(network: BitcoinNetwork, text: string): Uint8Array | BadAddress {
  let bytes: Uint8Array;
  try {
    bytes = base58check.decode(text);
  } catch {
    return rejected("bad-address", `${text} is no Bitcoin address`);
  }
  const [version] = bytes;
  const hash = bytes.subarray(1);
  const ours = prefixes[network];
  if (hash.length !== 20) return rejected("bad-address", `${text} is no Bitcoin address`);
  if (version === ours.p2pkh)
    return concat(Uint8Array.of(0x76, 0xa9, 20), hash, Uint8Array.of(0x88, 0xac));
  if (version === ours.p2sh) return concat(Uint8Array.of(0xa9, 20), hash, Uint8Array.of(0x87));
  const isOther = Object.values(prefixes).some(
    ({ p2pkh, p2sh }) => version === p2pkh || version === p2sh,
  );
  return isOther
    ? wrongNetwork(network, text)
    : rejected("bad-address", `${text} is no Bitcoin address`);
}

function wrongNetwork(network: BitcoinNetwork, text: string): BadAddress {
  return rejected("wrong-network", `${text} is not an address of Bitcoin ${network}`);
}

/** The address of a payable script; undefined for any other. */
export function formatBitcoinAddress(
  network: BitcoinNetwork,
  script: Uint8Array,
): string | undefined {
  const { hrp, p2pkh, p2sh } = prefixes[network];
  switch (scriptType(script)) {
    case "p2pkh":
      return base58check.encode(concat(Uint8Array.of(p2pkh), script.subarray(3, 23)));
    case "p2sh":
      return base58check.encode(concat(Uint8Array.of(p2sh), script.subarray(2, 22)));
    case "p2wpkh":
    case "p2wsh":
      return bech32.encode(hrp, [0, ...bech32.toWords(script.subarray(2))]);
    case "p2tr":
      return bech32m.encode(hrp, [1, ...bech32m.toWords(script.subarray(2))]);
    default:
      return undefined;
  }
}
